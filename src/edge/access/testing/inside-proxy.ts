import { buildResponse, type SipMessage, type SipRequest, type SipResponse } from '#protocols/sip';
import type { Hop, TestAgent } from './agent.ts';
import { parsed } from './messages.ts';
import { passBack } from './plays.ts';

const OWN_HOST = 'fe1.corp.example';
const OWN_ROUTE = `<sip:${OWN_HOST};lr>`;

/** The next hop as a program: registrar and proxy of the organisation (RFC 3261 §16), and the one user inside. */
export class InsideProxy {
  readonly #inside: TestAgent;
  readonly #domain: string;
  readonly #edges: Hop[] = [];
  readonly #users = new Map<string, { readonly contact: string; readonly path: string }>();
  readonly #asked = new Map<string, Hop>();
  #branches = 0;

  /** @param inside the user who sits inside; gives its requests to {@link fromInside} */
  constructor(domain: string, inside: TestAgent) {
    this.#domain = domain;
    this.#inside = inside;
  }

  /** A connection with the edge; what arrives there is to be given to {@link handle}. */
  add(edge: Hop): void {
    this.#edges.push(edge);
  }
  remove(edge: Hop): void {
    this.#edges.splice(this.#edges.indexOf(edge), 1);
  }
  /** What the inside user sends goes through here. */
  readonly fromInside: Hop = {
    sends: (bytes) => this.handle(parsed(bytes), this.#insideHop),
  };

  handle(message: SipMessage, from: Hop): void {
    if (message.kind === 'response') this.#passBack(message);
    else if (message.method === 'REGISTER') this.#register(message, from);
    else if (message.method === 'OPTIONS') from.sends(buildResponse(message, 200, { toTag: 'fe' }));
    else this.#passOn(message, from);
  }

  readonly #insideHop: Hop = {
    sends: (bytes) => this.#inside.handle(parsed(bytes), this.fromInside),
  };

  #register(received: SipRequest, from: Hop): void {
    this.#inside.options.ledger.arrived(received);
    const contact = received.header('Contact') ?? '';
    const path = received.values('Path').join(', ');
    const user = /sip:([^@]+)@/.exec(received.header('To') ?? '')?.[1] ?? '';
    this.#users.set(user, { contact: /<([^>]+)>/.exec(contact)?.[1] ?? '', path });
    const headers = [
      ['Contact', `${contact.split(';reg-id')[0]};expires=3600`],
      ['Path', path],
    ] as const;
    from.sends(buildResponse(received, 200, { toTag: 'fe', headers }));
  }

  #passOn(received: SipRequest, from: Hop): void {
    const routes = received.values('Route').flatMap((value) => value.split(/,\s*(?=<)/));
    if (routes[0]?.includes(OWN_HOST)) routes.shift();
    const { hop, uri, route } = this.#targetOf(received.uri, routes);
    this.#branches += 1;
    const branch = `z9hG4bKfe${this.#branches}`;
    if (received.method !== 'ACK') this.#asked.set(branch, from);
    const text = received.bytes.toString('latin1');
    const [, ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
    const head = [
      `${received.method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/TLS ${OWN_HOST}:5061;branch=${branch}`,
      ...(received.method === 'INVITE' ? [`Record-Route: ${OWN_ROUTE}`] : []),
      ...(route.length === 0 ? [] : [`Route: ${route.join(', ')}`]),
      ...lines.filter((line) => !/^Route:/i.test(line)),
    ];
    hop.sends(Buffer.from(`${head.join('\r\n')}${text.slice(text.indexOf('\r\n\r\n'))}`, 'latin1'));
  }

  #targetOf(uri: string, route: readonly string[]): { hop: Hop; uri: string; route: readonly string[] } {
    if (route.length > 0) return { hop: this.#nextEdge(), uri, route };
    const [, user = '', host] = /^sip:(?:([^@]*)@)?([^:;>]+)/.exec(uri) ?? [];
    const signedIn = host === this.#domain ? this.#users.get(user) : undefined;
    if (signedIn !== undefined)
      return { hop: this.#nextEdge(), uri: signedIn.contact, route: [signedIn.path] };
    const outside = host !== this.#domain && !this.#inside.options.contact.includes(String(host));
    return { hop: outside ? this.#nextEdge() : this.#insideHop, uri, route };
  }
  /** Whichever connection comes next: the edge has to bring what came to one worker to the one it belongs to. */
  #nextEdge(): Hop {
    const edge = this.#edges[this.#branches % this.#edges.length];
    if (edge === undefined) throw new Error('the edge is not connected');
    return edge;
  }

  #passBack(response: SipResponse): void {
    const branch = response.topVia.branch ?? '';
    const hop = this.#asked.get(branch);
    if (hop === undefined) throw new Error(`nobody asked: ${response.bytes.toString()}`);
    if (response.status < 200) return;
    this.#asked.delete(branch);
    hop.sends(passBack(response.bytes.toString('latin1')));
  }
}
