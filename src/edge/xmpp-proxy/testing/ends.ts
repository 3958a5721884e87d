import { once } from 'node:events';
import { connect, createServer, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { SystemClock, SystemRandom } from '#kernel';
import { DnsResolver } from '#platform/dns';
import { type IssuedCertificate, type LeafRequest, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import {
  type Arrival,
  PartnerTls,
  type StreamNotice,
  type Undelivered,
  XmppEndpoint,
} from '#platform/xmpp-endpoint';
import { type EdgeArrival, EdgeLinks, type LinkFailure, type LinkNotice } from '#platform/xmpp-link';
import { child, element, textOf, writeXml, type XmlElement } from '#protocols/xml';
import { type Method, NS, partnerLimits, strangerLimits } from '#protocols/xmpp';
import { linkLimits, routerLimits, Seen } from '../../../platform/xmpp-link/testing/link-bench.ts';
import { ACCESS, EDGE, GATEWAY, INTERNAL, OURS, PLACES, type ProxyBench, THEIRS, unwrap } from './bench.ts';

function credentials(issued: IssuedCertificate, at = Date.now()) {
  return unwrap(parseCredentials(issued, at, { certificate: 'test', key: 'test' }));
}

export interface PartnerOptions {
  readonly domain?: string;
  readonly methods?: readonly Method[];
  readonly leaf?: Partial<LeafRequest>;
  readonly hosts?: readonly string[];
  /** Stanzas of ours are not taken over until the test says so. */
  readonly hold?: boolean;
  readonly keepAliveMs?: number;
  /** Where it is; where the DNS says by default. */
  readonly address?: string;
}

const TIMES = { establishmentMs: 60_000, stanzaMs: 30_000, inactivityMs: 600_000 };

/** An XMPP server of a partner: our own endpoint, on the partner's address. */
export class PartnerServer {
  readonly domain: string;
  readonly endpoint: XmppEndpoint;
  readonly arrivals = new Seen<Arrival>();
  readonly notices = new Seen<StreamNotice>();
  readonly #close: () => Promise<void>;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  private constructor(
    domain: string,
    endpoint: (user: PartnerServer) => XmppEndpoint,
    close: () => Promise<void>,
  ) {
    this.domain = domain;
    this.endpoint = endpoint(this);
    this.#close = close;
  }

  static async start(
    t: TestContext,
    bench: ProxyBench,
    options: PartnerOptions = {},
  ): Promise<PartnerServer> {
    const { domain = THEIRS, methods = ['sasl-external'], leaf, hosts = [domain], hold = false } = options;
    const { address = PLACES[domain] ?? '' } = options;
    const [clock, random, metrics] = [new SystemClock(), new SystemRandom(), new Metrics()];
    const issued = await bench.issue(domain, leaf);
    const own = credentials(issued, leaf?.notBefore?.getTime());
    const trust = unwrap(parseTrustAnchors(bench.authorityPem, 'test'));
    const [server = '', port] = bench.nameServer.split(':');
    const resolver = new DnsResolver({
      servers: [{ address: server, port: Number(port) }],
      localAddresses: [address],
      clock,
      random,
      metrics,
    });
    const times = { ...TIMES, keepAliveMs: options.keepAliveMs ?? 300_000 };
    const partner = new PartnerServer(
      domain,
      (user) =>
        new XmppEndpoint(
          {
            clock,
            random,
            log: silentLog(),
            metrics,
            resolver,
            user: {
              handleArrival: (arrival) => {
                if (!hold) arrival.done();
                if (!user.#answersPing(arrival.stanza)) user.arrivals.add(arrival);
              },
              handleNotice: (notice) => user.notices.add(notice),
              handleStream: () => {},
            },
          },
          {
            tls: new PartnerTls(own, trust, clock),
            stream: {
              times,
              limits: { stranger: strangerLimits, partner: partnerLimits, pairs: 20, unacknowledged: 256 },
              secret: `secret of ${domain}`,
            },
            hosts: (name) => hosts.includes(name),
            partner: (name) =>
              name === OURS ? { name, methods, keepAlive: true, connections: 100 } : undefined,
            mayDial: () => true,
            localAddresses: [address],
            port: 5269,
            connections: 1000,
            strangers: 100,
            waiting: 10_000,
            window: 10_000,
            outboundBytes: 1 << 24,
            connectMs: 20_000,
          },
        ),
      async () => {
        partner.endpoint.close();
        resolver.close();
        server5269.close();
        await once(server5269, 'close');
      },
    );
    const server5269 = createServer((socket) => {
      partner.#sockets.add(socket);
      socket.once('close', () => partner.#sockets.delete(socket));
      partner.endpoint.accept(socket);
    }).listen(5269, address);
    await once(server5269, 'listening');
    t.after(() => partner.stop());
    return partner;
  }

  /** Tells whether our edge has taken it over. */
  send(stanza: XmlElement): Promise<Undelivered | undefined> {
    return new Promise((resolve) =>
      this.endpoint.send(stanza, { from: this.domain, to: OURS }, (failed) => resolve(failed)),
    );
  }
  /** XEP-0199, as every server does. */
  #answersPing({ name, attributes, children }: XmlElement): boolean {
    const [asked] = children;
    if (name !== 'iq' || attributes.get('type') !== 'get' || typeof asked !== 'object') return false;
    const { from, to, id } = Object.fromEntries(attributes);
    void this.send(stanza('iq', { from: to, to: from, id, type: 'result' }));
    return true;
  }
  /** Every connection that was opened to it breaks. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#close();
  }
}

export interface GatewayOptions {
  readonly name?: string;
  /** Nothing is safe until the test says so. */
  readonly hold?: boolean;
}

/** A gateway: the inner end of the link, by which stanzas go in and out. */
export class TestGateway {
  readonly links: EdgeLinks;
  readonly arrivals = new Seen<EdgeArrival>();
  readonly ready = new Seen<string>();
  /** What the proxy said of its streams with partners. */
  readonly partners = new Seen<string>();
  readonly ends = new Seen<LinkNotice>();

  private constructor(make: (user: TestGateway) => EdgeLinks) {
    this.links = make(this);
  }

  static async start(t: TestContext, bench: ProxyBench, options: GatewayOptions = {}): Promise<TestGateway> {
    const { name = GATEWAY, hold = false } = options;
    const own = credentials(await bench.authority.issue({ name, hosts: [name] }));
    const trust = unwrap(parseTrustAnchors(bench.authorityPem, 'test'));
    const context = { clock: new SystemClock(), random: new SystemRandom(), metrics: new Metrics() };
    const gateway = new TestGateway(
      (user) =>
        new EdgeLinks(
          context,
          {
            own: name,
            edges: [{ name: EDGE, address: INTERNAL, port: 23456 }],
            credentials: own,
            trust,
            localAddresses: ['127.0.8.1'],
            hosts: (domain) => domain === OURS,
            link: linkLimits,
            router: routerLimits,
            handshakeMs: 60_000,
            backOff: { firstMs: 20, longestMs: 500 },
          },
          {
            handleArrival: (arrival) => {
              if (!hold) arrival.done();
              user.arrivals.add(arrival);
            },
            handleReady: (edge) => user.ready.add(edge),
            handlePartner: (domain, state) => user.partners.add(`${domain} ${state}`),
            handleEnd: (notice) => user.ends.add(notice),
          },
        ),
    );
    t.after(() => gateway.links.close());
    return gateway;
  }

  send(stanza: XmlElement, to = THEIRS): Promise<LinkFailure | undefined> {
    return new Promise((resolve) => this.links.send(stanza, to, resolve));
  }
}

/** Says bytes to our edge that no server would. */
export async function raw(t: TestContext, from = PLACES[THEIRS] ?? ''): Promise<Socket> {
  const socket = connect({ host: ACCESS, port: 5269, localAddress: from });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}
/**
 * A stream that a partner has opened by hand: TLS first, SASL EXTERNAL, and the header after it.
 * @param before what is said ahead of SASL
 */
export async function opened(
  t: TestContext,
  bench: ProxyBench,
  domain = THEIRS,
  before = '',
): Promise<TLSSocket> {
  const { certificatePem: cert, keyPem: key } = await bench.issue(domain);
  const how: ConnectionOptions & TcpNetConnectOpts = {
    host: ACCESS,
    port: 5269,
    localAddress: PLACES[domain] ?? '',
    ca: bench.authorityPem,
    servername: OURS,
    ALPNProtocols: ['xmpp-server'],
    cert,
    key,
  };
  const socket = connectTls(how);
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(header(domain));
  const features = await until(socket, /<\/stream:features>|<\/stream:stream>/);
  if (!features.includes('EXTERNAL')) return socket;
  socket.write(`${before}<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
  await until(socket, /<success/);
  socket.write(header(domain));
  await until(socket, /<\/stream:features>|<\/stream:stream>/);
  return socket;
}
/** Everything that comes until the text holds `what`, or the end. */
export async function until(socket: Socket, what?: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (what?.test(text) === true) break;
  }
  return text;
}
/** The text of a stanza. */
export const xmlOf = (one: XmlElement): string => writeXml(one, NS.server);
export const header = (from = THEIRS, to = OURS) =>
  `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `xmlns:db='jabber:server:dialback' from='${from}' to='${to}' version='1.0'>`;

export function stanza(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  children: readonly XmlElement[] = [],
): XmlElement {
  return element(NS.server, name, attributes, children);
}
export function chat(body: string, from = `juliet@${THEIRS}/desk`, to = `romeo@${OURS}`): XmlElement {
  return stanza('message', { from, to, type: 'chat', id: body }, [element(NS.server, 'body', {}, [body])]);
}
export const bodyOf = (message: XmlElement): string | undefined => {
  const body = child(message, 'body', NS.server);
  return body === undefined ? undefined : textOf(body);
};
/** The condition of an error stanza. */
export function conditionOf(answer: XmlElement): string | undefined {
  const error = child(answer, 'error', NS.server);
  const condition = error?.children.find(
    (item) => typeof item !== 'string' && item.namespace === NS.stanzaErrors,
  );
  return typeof condition === 'object' ? condition.name : undefined;
}
