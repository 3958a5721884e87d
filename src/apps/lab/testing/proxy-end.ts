import { once } from 'node:events';
import { createServer } from 'node:net';
import { SystemClock, SystemRandom } from '#kernel';
import { type Connection, TlsAcceptor } from '#platform/net';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { GatewayLinks } from '#platform/xmpp-link';
import { readXmlDocument, writeXml, type XmlElement } from '#protocols/xml';
import { NS, type PartnerType, partnerLimits } from '#protocols/xmpp';
import { until } from '../faults/until.ts';
import type { Perimeter } from './perimeter.ts';

const PATIENCE_MS = 60_000;

/** The proxy's end of a link, with a partner behind it that says what the test says. */
export class ProxyEnd {
  readonly links: GatewayLinks;
  readonly connections: Connection[] = [];
  /** What came for the partner, as text, oldest first. */
  readonly heard: string[] = [];
  /** Connections that were opened to it, whatever became of them. */
  attempts = 0;
  readonly #stop: () => Promise<void>;
  #number = 0;

  private constructor(
    perimeter: Perimeter,
    { own, keepAliveMs }: { readonly own: string; readonly keepAliveMs: number },
    stop: (end: ProxyEnd) => Promise<void>,
  ) {
    const { domain, names } = perimeter.plan;
    this.#stop = () => stop(this);
    this.links = new GatewayLinks(
      { clock: new SystemClock(), random: new SystemRandom(), metrics: new Metrics() },
      {
        own,
        gateways: [names.frontEnd],
        hosts: (other) => other === domain,
        link: { unacknowledged: 1000, window: 1000, keepAliveMs, establishmentMs: PATIENCE_MS },
        router: { waitMs: PATIENCE_MS, waiting: 1000 },
      },
      {
        handleArrival: ({ stanza, done }) => {
          this.heard.push(writeXml(stanza, NS.server));
          done();
        },
        handleReady: () => {},
        handleEnd: () => {},
      },
    );
  }

  /** Listens as the lab's edge does, or elsewhere; a second edge has the name of the access certificate. */
  static async start(
    perimeter: Perimeter,
    at: { readonly address?: string; readonly port?: number; readonly second?: boolean } = {},
  ): Promise<ProxyEnd> {
    const { plan, files } = perimeter;
    // A gateway whose keep-alive is short leaves an end that says nothing for longer.
    const keepAliveMs = at.second === true ? 1000 : PATIENCE_MS;
    const own = at.second === true ? plan.names.access : plan.names.edge;
    const credentials = loadCredentials(at.second === true ? files.access : files.edge, Date.now());
    const trust = loadTrustAnchors(files.authority);
    if (!credentials.ok || !trust.ok) throw new Error('the lab has no certificates');
    const server = createServer();
    const end: ProxyEnd = new ProxyEnd(perimeter, { own, keepAliveMs }, async ({ links }) => {
      links.close();
      await acceptor.close();
      server.close();
      await once(server, 'close');
    });
    const acceptor = new TlsAcceptor({
      credentials: credentials.value,
      trust: trust.value,
      clientCertificate: 'required',
      handshakeMs: PATIENCE_MS,
      limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 23 },
      clock: new SystemClock(),
      log: silentLog(),
      metrics: new Metrics(),
      accept: (connection) => {
        end.connections.push(connection);
        end.links.accept(connection);
      },
    });
    server.on('connection', () => {
      end.attempts += 1;
    });
    server.listen(at.port ?? 23456, at.address ?? plan.internal.address);
    await once(server, 'listening');
    acceptor.attach(server);
    return end;
  }

  get linked(): boolean {
    return this.links.states().some(({ ready }) => ready);
  }
  async untilLinked(): Promise<void> {
    await until('the gateway has opened its link', () => this.linked);
  }

  /** A stanza of the partner; resolves when the gateway has acknowledged it. */
  say(
    text: string,
    type: PartnerType = 'federated',
    stream = 'stream',
    number = ++this.#number,
  ): Promise<void> {
    const read = readXmlDocument(
      Buffer.from(text.replace(/^<(\w+)/, `<$1 xmlns='${NS.server}'`)),
      partnerLimits,
    );
    if (!read.ok) throw new Error(`${read.error}: ${text}`);
    return this.#send(read.value, { stream, number, partner: 'partner.example', type });
  }
  #send(stanza: XmlElement, origin: Parameters<GatewayLinks['send']>[1]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.links.send(stanza, origin, (failed) => {
        if (failed === undefined) resolve();
        else reject(new Error(failed));
      });
    });
  }
  /** The next stanza for the partner that fits; those before it are forgotten. */
  async hears(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await until(`the partner hears ${pattern}, not ${this.heard.join(' ')}`, () => {
      const at = this.heard.findIndex((text) => pattern.test(text));
      found = this.heard[at];
      if (at >= 0) this.heard.splice(0, at + 1);
      return at >= 0;
    });
    return found ?? '';
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}
