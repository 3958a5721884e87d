import assert from 'node:assert/strict';
import type { SipMessage, SipRequest } from '#protocols/sip';
import type { Hop } from './agent.ts';
import { parsed } from './messages.ts';

const OWN_HOST = 'pbx.example.net';
const OWN_ROUTE = `<sip:${OWN_HOST};lr>`;
let branches = 0;

/**
 * A client that is a proxy (RFC 3261 §16): a private branch exchange behind the edge. What it is called by goes on to `callee`,
 * which is a device behind it or somebody else's address; what its own people send goes to the edge.
 */
export class ClientProxy {
  /** For what its own people send. */
  readonly fromBehind: Hop = { sends: (bytes) => this.handle(parsed(bytes), this.#behind) };
  readonly #behind: Hop;
  readonly #edge: Hop;
  readonly #callee: string | undefined;
  readonly #records: boolean;
  readonly #asked = new Map<string, Hop>();

  /**
   * @param behind gets what is for its own people
   * @param callee to whom it passes a call on; undefined: to whom it has behind it
   * @param records whether it stays in the path of a dialog
   */
  constructor(edge: Hop, behind: Hop, { callee, records }: { callee?: string; records: boolean }) {
    this.#edge = edge;
    this.#behind = behind;
    this.#callee = callee;
    this.#records = records;
  }

  handle(message: SipMessage, from: Hop): void {
    if (message.kind === 'response') this.#passBack(message);
    else this.#passOn(message, from);
  }

  #passOn(received: SipRequest, from: Hop): void {
    const routes = received.values('Route');
    const begins = received.to.tag === undefined;
    if (!begins && this.#records) assert.equal(routes.shift(), OWN_ROUTE, received.bytes.toString());
    const diverted = begins && from === this.#edge ? this.#callee : undefined;
    branches += 1;
    const branch = `z9hG4bKpbx${branches}`;
    if (received.method !== 'ACK') this.#asked.set(branch, from);
    const text = received.bytes.toString('latin1');
    const headEnd = text.indexOf('\r\n\r\n');
    const [, ...lines] = text.slice(0, headEnd).split('\r\n');
    const head = [
      `${received.method} ${diverted ?? received.uri} SIP/2.0`,
      `Via: SIP/2.0/TLS ${OWN_HOST};branch=${branch}`,
      ...(begins && this.#records ? [`Record-Route: ${OWN_ROUTE}`] : []),
      ...(routes.length === 0 ? [] : [`Route: ${routes.join(', ')}`]),
      ...lines.filter((line) => !/^Route:/i.test(line)),
    ];
    const outside = from === this.#behind || diverted !== undefined || this.#leadsOut(received.uri, routes);
    const hop = outside ? this.#edge : this.#behind;
    hop.sends(Buffer.from(`${head.join('\r\n')}${text.slice(headEnd)}`, 'latin1'));
  }
  /** RFC 3263 would find the edge by these. */
  #leadsOut(uri: string, [route = uri]: readonly string[]): boolean {
    return route.includes('@sip.example.com');
  }

  #passBack(response: SipMessage): void {
    const branch = response.topVia.branch ?? '';
    const hop = this.#asked.get(branch);
    if (hop === undefined) throw new Error(`nobody asked: ${response.bytes.toString()}`);
    const text = response.bytes.toString('latin1');
    if (text.startsWith('SIP/2.0 100')) return;
    const own = /^Via: SIP\/2\.0\/TLS pbx[^\r\n,]*(,\s*|\r\n)/im;
    const without = text.replace(own, (_, end: string) => (end.startsWith(',') ? 'Via: ' : ''));
    hop.sends(Buffer.from(without, 'latin1'));
  }
}
