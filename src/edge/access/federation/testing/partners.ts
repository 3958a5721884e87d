import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { type Clock, err, failure, ok } from '#kernel';
import type { LookUp, Resolver, ServiceRecord } from '#platform/dns';
import type { IssuedCertificate, LabAuthority } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import type { SipResponse } from '#protocols/sip';
import { alone } from '../../../../platform/net/testing/alone.ts';
import type { RunningParts } from '../../running.ts';
import { AccessLab } from '../../testing/lab.ts';
import { SipPeer } from '../../testing/sip-peer.ts';

// Partners are dialled on their port, whatever the test.
await alone(5061);

/** The edge of partner.example, where the name service says that it is. */
export const PARTNER = { domain: 'partner.example', proxy: 'sip.partner.example', address: '127.0.9.41' };
export const EDGE = { name: 'sip.example.com', address: '127.0.9.10' };

/** A name service of the test's own making. */
export class TestNames implements Resolver {
  readonly hosts = new Map<string, string[]>();
  readonly records = new Map<string, ServiceRecord[]>();
  /** Names that were asked for, oldest first. */
  readonly asked: string[] = [];
  /** Nobody answers: what is asked runs out of time at once. */
  silent = false;

  addresses(name: string, family: 4 | 6): LookUp<string> {
    const found = (this.hosts.get(name) ?? []).filter((one) => one.includes(':') === (family === 6));
    return this.#answer(name, found);
  }
  services(name: string): LookUp<ServiceRecord> {
    return this.#answer(name, this.records.get(name) ?? []);
  }
  /** The records that a partner publishes, best first. */
  publish(domain: string, ...targets: string[]): void {
    this.records.set(
      `_sipfederationtls._tcp.${domain}`,
      targets.map((target, priority) => ({ priority, weight: 0, port: 5061, target })),
    );
  }
  async #answer<Value>(name: string, values: readonly Value[]): LookUp<Value> {
    this.asked.push(name);
    const reason = this.silent ? 'timeout' : 'nxdomain';
    const code = this.silent ? 'SLP-DNS-0003' : 'SLP-DNS-0001';
    if (this.silent || values.length === 0) return err({ ...failure(code, name), reason, ttl: 60 });
    return ok({ values, ttl: 300, server: '192.0.2.53:53', transport: 'udp', cached: false });
  }
}

export interface FederationLab {
  readonly lab: AccessLab;
  readonly names: TestNames;
  /** The next hop's side of the edge's connection to it. */
  readonly fe: SipPeer;
}

/** An Access Edge with federation on and one partner, `sip.partner.example`, on the list. */
export async function startFederation(
  t: TestContext,
  change: (document: EdgeDocument) => void = () => {},
  options: { readonly oneAddress?: boolean; readonly members?: 2; readonly clock?: Clock } & Pick<
    RunningParts,
    'revocation'
  > = {},
): Promise<FederationLab> {
  const names = new TestNames();
  names.hosts.set(PARTNER.proxy, [PARTNER.address]);
  const lab = await AccessLab.start(t, {
    ...options,
    names,
    change: (document) => {
      document.host.partnerCa = document.host.internalCa;
      document.policy.features.federation = true;
      document.policy.federation.allowedNetworks = ['127.0.9.40/29'];
      document.policy.federation.allowed = [
        { domain: PARTNER.domain, proxy: PARTNER.proxy, verification: 'use-source' },
      ];
      // The authority of these tests publishes no revocation lists; those that need some make their own.
      document.policy.revocation.shortLivedDays = 10_000;
      change(document);
    },
  });
  return { lab, names, fe: await lab.frontEnds[0].connection() };
}

/** A partner's edge in a test: it dials ours, and ours dials it. */
export class TestPartner {
  readonly issued: IssuedCertificate;
  readonly #authority: LabAuthority;
  #server: Server | undefined;
  readonly #connections: SipPeer[] = [];
  readonly #waiting: ((peer: SipPeer) => void)[] = [];
  readonly open = new Set<SipPeer>();

  private constructor(authority: LabAuthority, issued: IssuedCertificate) {
    this.#authority = authority;
    this.issued = issued;
  }

  static async create(
    t: Pick<TestContext, 'after'>,
    { authority }: Pick<AccessLab, 'authority'>,
    request: Partial<Parameters<LabAuthority['issue']>[0]> = {},
  ): Promise<TestPartner> {
    const issued = await authority.issue({ name: 'partner', hosts: [PARTNER.proxy], ...request });
    const partner = new TestPartner(authority, issued);
    t.after(() => partner.stop());
    return partner;
  }

  async listen(address = PARTNER.address): Promise<void> {
    const { certificatePem: cert, keyPem: key } = this.issued;
    const server = createServer(
      { cert, key, ca: this.#authority.certificatePem, requestCert: true },
      (socket) => this.#accept(socket),
    );
    server.on('tlsClientError', () => {});
    this.#server = server;
    server.listen({ host: address, port: 5061 });
    await once(server, 'listening');
  }
  /** The next connection of our edge to it. */
  connection(): Promise<SipPeer> {
    const ready = this.#connections.shift();
    return ready === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(ready);
  }
  /** Dials our edge; resolves when the TLS handshake is over, which is before the edge has judged the certificate. */
  async dials(
    lab: AccessLab,
    from: string = PARTNER.address,
    trusted: LabAuthority = this.#authority,
  ): Promise<SipPeer> {
    const { certificatePem: cert, keyPem: key } = this.issued;
    const options = {
      host: lab.externalAddress,
      port: lab.document.policy.ports.accessFederation,
      localAddress: from,
      servername: EDGE.name,
      ca: trusted.certificatePem,
      cert,
      key,
    };
    const socket = connect(options);
    const peer = new SipPeer(socket);
    this.open.add(peer);
    await once(socket, 'secureConnect');
    return peer;
  }
  /** Connections with our edge, whoever opened them. */
  get connected(): number {
    return [...this.open].filter(({ socket }) => !socket.destroyed).length;
  }
  async stop(): Promise<void> {
    for (const peer of this.open) peer.ends();
    this.open.clear();
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  #accept(socket: TLSSocket): void {
    const peer = new SipPeer(socket);
    this.open.add(peer);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#connections.push(peer);
    else waiting(peer);
  }
}

let branches = 0;
/** What a request of bob at the partner has, with a branch of its own. */
export function fromBob(change: Record<string, string | string[]> = {}): Record<string, string | string[]> {
  branches += 1;
  return {
    Via: `SIP/2.0/TLS ${PARTNER.proxy}:5061;branch=z9hG4bKp${branches}`,
    From: '<sip:bob@partner.example>;tag=b1',
    To: '<sip:alice@example.com>',
    'Call-ID': `bob${branches}`,
    ...change,
  };
}

/** What a request of alice, one of ours, has when the next hop sends it to bob. */
export function fromAlice(change: Record<string, string | string[]> = {}): Record<string, string | string[]> {
  branches += 1;
  return {
    Via: [
      `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKf${branches}`,
      'SIP/2.0/TLS 10.45.1.7:5061;branch=z9hG4bKinner',
    ],
    From: '<sip:alice@example.com>;tag=a1',
    To: '<sip:bob@partner.example>',
    'Call-ID': `alice${branches}@10.45.1.7`,
    ...change,
  };
}

/** The published number that a refusal carries ([MS-OCER] §2.2.1). */
export function refusedWith(response: SipResponse, diagnostic: number): void {
  assert.match(response.header('ms-diagnostics-public') ?? '', new RegExp(`^${diagnostic};reason="[^"]+"$`));
}
