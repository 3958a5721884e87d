import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { SystemClock, SystemRandom } from '#kernel';
import { DnsResolver } from '#platform/dns';
import { type IssuedCertificate, LabAuthority, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { type Method, partnerLimits, strangerLimits } from '#protocols/xmpp';
import { alone } from '../../net/testing/alone.ts';
import { type Arrival, type Partner, PartnerTls, type StreamNotice, XmppEndpoint } from '../index.ts';

await alone(5269);

export const OURS = 'sip.example';
export const THEIRS = 'xmpp.example';
export const OUR_ADDRESS = '127.0.1.10';
export const THEIR_ADDRESS = '127.0.3.61';
const PATIENCE_MS = 20_000;

export interface Edge {
  readonly endpoint: XmppEndpoint;
  readonly arrivals: Arrival[];
  readonly notices: StreamNotice[];
  /** The first that fits, from those that came and those to come. */
  arrival(is: (arrival: Arrival) => boolean): Promise<Arrival>;
  notice(is: (notice: StreamNotice) => boolean): Promise<StreamNotice>;
}

export interface EdgeOptions {
  readonly nameServer: string;
  readonly identity: IssuedCertificate;
  readonly authorityPem: string;
  readonly methods: readonly Method[];
  readonly partner?: Partial<Partner>;
  readonly partners?: readonly string[];
  /** Places for streams that have proven nothing; default 50. */
  readonly strangers?: number;
}

/** Our endpoint on the addresses of the lab, with everything real but the services around it. */
export async function startEdge(t: TestContext, options: EdgeOptions): Promise<Edge> {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const metrics = new Metrics();
  const credentials = parseCredentials(options.identity, clock.wall(), { certificate: 'ours', key: 'ours' });
  const trust = parseTrustAnchors(options.authorityPem, 'test');
  if (!credentials.ok || !trust.ok) throw new Error('the certificates of the test are not usable');
  const [address = '', port] = options.nameServer.split(':');
  const resolver = new DnsResolver({
    servers: [{ address, port: Number(port) }],
    localAddresses: [OUR_ADDRESS],
    clock,
    random,
    metrics,
  });
  const seen = new Seen();
  const partners = options.partners ?? [THEIRS];
  const endpoint = new XmppEndpoint(
    { clock, random, log: silentLog(), metrics, resolver, user: seen },
    {
      tls: new PartnerTls(credentials.value, trust.value, clock),
      stream: {
        times: { establishmentMs: 60_000, stanzaMs: 30_000, keepAliveMs: 300_000, inactivityMs: 600_000 },
        limits: { stranger: strangerLimits, partner: partnerLimits, pairs: 20, unacknowledged: 256 },
        secret: 'secret of the pool',
      },
      hosts: (domain) => domain === OURS,
      partner: (domain) =>
        partners.includes(domain)
          ? { name: domain, methods: options.methods, keepAlive: true, connections: 20, ...options.partner }
          : undefined,
      mayDial: (remote) => remote.startsWith('127.0.3.'),
      localAddresses: [OUR_ADDRESS],
      port: 5269,
      connections: 100,
      strangers: options.strangers ?? 50,
      waiting: 256,
      window: 256,
      outboundBytes: 1 << 20,
      connectMs: 10_000,
    },
  );
  const server = createServer(endpoint.accept).listen(5269, OUR_ADDRESS);
  await once(server, 'listening');
  t.after(async () => {
    endpoint.close();
    resolver.close();
    server.close();
    await once(server, 'close');
  });
  return {
    endpoint,
    arrivals: seen.arrivals,
    notices: seen.notices,
    arrival: (is) => seen.first(seen.arrivals, is),
    notice: (is) => seen.first(seen.notices, is),
  };
}

class Seen {
  readonly arrivals: Arrival[] = [];
  readonly notices: StreamNotice[] = [];
  #waiting: (() => void)[] = [];

  handleArrival(arrival: Arrival): void {
    this.arrivals.push(arrival);
    arrival.done();
    this.#wake();
  }
  handleStream(): void {}
  handleNotice(notice: StreamNotice): void {
    this.notices.push(notice);
    this.#wake();
  }
  async first<T>(list: readonly T[], is: (item: T) => boolean): Promise<T> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = list.find(is);
      if (found !== undefined) return found;
      if (late.aborted) throw new Error(`not seen; notices: ${JSON.stringify(this.notices)}`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** One authority and the certificates of both sides. */
export async function authority() {
  const ca = await LabAuthority.create({ name: 'test authority' });
  return { ca, ours: await ca.issue({ name: OURS, hosts: [OURS] }) };
}
