import { element, type XmlElement } from '#protocols/xml';
import { type Jid, NS } from '#protocols/xmpp';

const PING = 'urn:xmpp:ping';
const VERSION = 'jabber:iq:version';
const DISCO_INFO = 'http://jabber.org/protocol/disco#info';
const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items';

/** What the edge says of itself, and what it says is understood behind it. */
const FEATURES = [
  DISCO_INFO,
  PING,
  VERSION,
  'urn:xmpp:receipts',
  'http://jabber.org/protocol/chatstates',
] as const;

/** The answer to a request of a partner's server, or nothing where the request is not served. */
export function answerIq(request: XmlElement, to: Jid): XmlElement | undefined {
  if (request.attributes.get('type') !== 'get' || to.local !== undefined) return undefined;
  const asked = request.children.filter((item) => typeof item !== 'string');
  const [what] = asked;
  if (what === undefined || asked.length !== 1) return undefined;
  const content = contentOf(what);
  if (content === undefined) return undefined;
  const { from, to: us, id } = Object.fromEntries(request.attributes);
  return element(NS.server, 'iq', { from: us, to: from, id, type: 'result' }, content);
}

/** XEP-0199, XEP-0092, XEP-0030. */
function contentOf({ name, namespace, attributes }: XmlElement): XmlElement[] | undefined {
  if (name === 'ping' && namespace === PING) return [];
  if (name !== 'query') return undefined;
  if (namespace === VERSION) {
    return [element(VERSION, 'query', {}, [element(VERSION, 'name', {}, ['Sallyport'])])];
  }
  // There are no nodes: whoever names one gets an error.
  if (attributes.has('node')) return undefined;
  if (namespace === DISCO_ITEMS) return [element(DISCO_ITEMS, 'query')];
  if (namespace !== DISCO_INFO) return undefined;
  const identity = element(DISCO_INFO, 'identity', {
    category: 'gateway',
    type: 'simple',
    name: 'Sallyport',
  });
  const features = FEATURES.map((feature) => element(DISCO_INFO, 'feature', { var: feature }));
  return [element(DISCO_INFO, 'query', {}, [identity, ...features])];
}

/** XEP-0199 §4.4: one server asks another. */
export function pingFor(from: string, to: string, id: string): XmlElement {
  return element(NS.server, 'iq', { from, to, id, type: 'get' }, [element(PING, 'ping')]);
}
