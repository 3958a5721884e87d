import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { SystemClock, SystemRandom } from '#kernel';
import type { EdgeTarget } from '#platform/edge-dial';
import { TlsAcceptor } from '#platform/net';
import { type Credentials, LabAuthority, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { element, type XmlElement } from '#protocols/xml';
import { NS, type StanzaOrigin } from '#protocols/xmpp';
import {
  type EdgeArrival,
  EdgeLinks,
  type GatewayArrival,
  GatewayLinks,
  type LinkLimits,
  type LinkNotice,
  type RouterLimits,
} from '../index.ts';

export const OURS = 'sip.example';
export const THEIRS = 'xmpp.example';
export const GATEWAY = 'fe1.example.com';
const PATIENCE_MS = 60_000;

const authority = LabAuthority.create({ name: 'internal authority' });

export const linkLimits: LinkLimits = {
  unacknowledged: 1000,
  window: 1000,
  keepAliveMs: 60_000,
  establishmentMs: 30_000,
};
export const routerLimits: RouterLimits = { waitMs: 30_000, waiting: 1000 };

async function identity(name: string): Promise<Credentials> {
  const issued = await (await authority).issue({ name, hosts: [name] });
  const credentials = parseCredentials(issued, Date.now(), { certificate: name, key: name });
  if (!credentials.ok) throw new Error(credentials.error.message);
  return credentials.value;
}
async function anchors() {
  const trust = parseTrustAnchors((await authority).certificatePem, 'test');
  if (!trust.ok) throw new Error(trust.error.message);
  return trust.value;
}

/** What came, and a way to wait for more. */
export class Seen<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  add(item: T): void {
    this.all.push(item);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
  async count(many: number): Promise<readonly T[]> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (this.all.length < many) {
      if (late.aborted) throw new Error(`${this.all.length} of ${many} came`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return this.all;
  }
}

export interface EdgeEnd {
  readonly links: GatewayLinks;
  readonly target: EdgeTarget;
  readonly arrivals: Seen<GatewayArrival>;
  readonly ready: Seen<string>;
  readonly ends: Seen<LinkNotice>;
  stop(): Promise<void>;
}

let edges = 0;

/** An edge's end on an address of its own; `done` is the test's to call. */
export async function startEdge(
  t: TestContext,
  name: string,
  change: { gateways?: readonly string[]; router?: RouterLimits; link?: LinkLimits; hold?: boolean } = {},
): Promise<EdgeEnd> {
  const [clock, metrics] = [new SystemClock(), new Metrics()];
  const arrivals = new Seen<GatewayArrival>();
  const ready = new Seen<string>();
  const ends = new Seen<LinkNotice>();
  const links = new GatewayLinks(
    { clock, random: new SystemRandom(), metrics },
    {
      own: name,
      gateways: change.gateways ?? [GATEWAY],
      hosts: (domain) => domain === OURS,
      link: change.link ?? linkLimits,
      router: change.router ?? routerLimits,
    },
    {
      handleArrival: (arrival) => {
        if (change.hold !== true) arrival.done();
        arrivals.add(arrival);
      },
      handleReady: (gateway) => ready.add(gateway),
      handleEnd: (notice) => ends.add(notice),
    },
  );
  const acceptor = new TlsAcceptor({
    credentials: await identity(name),
    trust: await anchors(),
    clientCertificate: 'required',
    handshakeMs: 60_000,
    limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 23 },
    clock,
    log: silentLog(),
    metrics,
    accept: (connection) => void links.accept(connection),
  });
  edges += 1;
  const address = `127.0.4.${edges}`;
  const server = createServer().listen(23456, address);
  await once(server, 'listening');
  acceptor.attach(server);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    links.close();
    await acceptor.close();
    server.close();
    await once(server, 'close');
  };
  t.after(stop);
  return { links, target: { name, address, port: 23456 }, arrivals, ready, ends, stop };
}

export interface GatewayEnd {
  readonly links: EdgeLinks;
  readonly arrivals: Seen<EdgeArrival>;
  readonly ready: Seen<string>;
  readonly ends: Seen<LinkNotice>;
}

export async function startGateway(
  t: TestContext,
  targets: readonly EdgeTarget[],
  change: { name?: string; hold?: boolean; router?: RouterLimits; link?: LinkLimits } = {},
): Promise<GatewayEnd> {
  const arrivals = new Seen<EdgeArrival>();
  const ready = new Seen<string>();
  const ends = new Seen<LinkNotice>();
  const name = change.name ?? GATEWAY;
  const links = new EdgeLinks(
    { clock: new SystemClock(), random: new SystemRandom(), metrics: new Metrics() },
    {
      own: name,
      edges: targets,
      credentials: await identity(name),
      trust: await anchors(),
      localAddresses: ['127.0.4.200'],
      hosts: (domain) => domain === OURS,
      link: change.link ?? linkLimits,
      router: change.router ?? routerLimits,
      handshakeMs: 60_000,
      backOff: { firstMs: 20, longestMs: 500 },
    },
    {
      handleArrival: (arrival) => {
        if (change.hold !== true) arrival.done();
        arrivals.add(arrival);
      },
      handleReady: (edge) => ready.add(edge),
      handlePartner: () => {},
      handleEnd: (notice) => ends.add(notice),
    },
  );
  t.after(() => links.close());
  return { links, arrivals, ready, ends };
}

export function message(from: string, to: string, body: string): XmlElement {
  return element(NS.server, 'message', { from, to, id: body, type: 'chat' }, [
    element(NS.server, 'body', {}, [body]),
  ]);
}
export const inward = (body: string) => message(`juliet@${THEIRS}/desk`, `romeo@${OURS}`, body);
export const outward = (body: string, domain = THEIRS) =>
  message(`romeo@${OURS}/phone`, `juliet@${domain}`, body);
export const origin = (number: number): StanzaOrigin => ({
  stream: 'stream-of-juliet',
  number,
  partner: THEIRS,
  type: 'federated',
});
