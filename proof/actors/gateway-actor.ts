import { SystemClock, SystemRandom } from '#kernel';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import { Metrics } from '#platform/telemetry';
import { EdgeLinks } from '#platform/xmpp-link';
import { child, element, textOf, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { Arrivals } from '../../src/apps/lab/testing/arrivals.ts';

export interface LinkOrder {
  /** The host name of the edge. */
  readonly edge: string;
  readonly address: string;
  readonly localAddress: string;
  /** The gateway's own name, and its files. */
  readonly own: string;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** The organisation's domain. */
  readonly domain: string;
}

interface Message {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

const clock = new SystemClock();
const LIMITS = { unacknowledged: 100, window: 100, keepAliveMs: 60_000, establishmentMs: 20_000 };

/** The inner end of XMPP federation: a link to each edge, by which messages come and go. */
export class GatewayActor {
  readonly #links = new Map<string, { links: EdgeLinks; messages: Arrivals<Message> }>();

  /** Opens a link, in place of one that was there; resolves when it is open. */
  async openLink(order: LinkOrder): Promise<void> {
    this.#links.get(order.edge)?.links.close();
    const [credentials, trust] = [loadCredentials(order), loadTrustAnchors(order.authority)];
    if (!credentials.ok || !trust.ok) throw new Error('the files of the gateway are not usable');
    const messages = new Arrivals<Message>(`a message by ${order.edge}`);
    await new Promise<void>((resolve) => {
      const links = new EdgeLinks(
        { clock, random: new SystemRandom(), metrics: new Metrics() },
        {
          own: order.own,
          edges: [{ name: order.edge, address: order.address, port: 23456 }],
          credentials: credentials.value,
          trust: trust.value,
          localAddresses: [order.localAddress],
          hosts: (domain) => domain === order.domain,
          link: LIMITS,
          router: { waitMs: 20_000, waiting: 100 },
          handshakeMs: 20_000,
          backOff: { firstMs: 100, longestMs: 1000 },
        },
        {
          handleArrival: ({ stanza, done }) => {
            done();
            if (stanza.name === 'message') messages.put(read(stanza));
          },
          handleReady: () => resolve(),
          handlePartner: () => {},
          handleEnd: () => {},
        },
      );
      this.#links.set(order.edge, { links, messages });
    });
  }
  /** Resolves when the partner has taken it over. */
  sendByLink({ edge, from, to, text }: Message & { readonly edge: string }): Promise<void> {
    const body = element(NS.server, 'body', {}, [text]);
    const stanza = element(NS.server, 'message', { from, to, type: 'chat', id: text }, [body]);
    return new Promise((resolve, reject) =>
      this.#of(edge).links.send(stanza, to, (failed) =>
        failed === undefined ? resolve() : reject(new Error(failed)),
      ),
    );
  }
  nextByLink({ edge }: { readonly edge: string }): Promise<Message> {
    return this.#of(edge).messages.next();
  }

  #of(edge: string) {
    const found = this.#links.get(edge);
    if (found === undefined) throw new Error(`there is no link to ${edge}`);
    return found;
  }
}

function read(stanza: XmlElement): Message {
  const body = child(stanza, 'body', NS.server);
  const [from = '', to = ''] = [stanza.attributes.get('from'), stanza.attributes.get('to')];
  return { from, to, text: body === undefined ? '' : textOf(body) };
}
