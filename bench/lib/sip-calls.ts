import { type LoadOptions, UserConnection } from './sip-user.ts';
import { accepted, headerValue } from './sip-wire.ts';

/*
 * Callers behind one proxy, over TLS: INVITE, 180, 200, ACK, BYE, 200, one call after the other, so many at a time on each
 * connection. Callee is the next hop.
 */

/** What came of the calls. */
export interface CallCounts {
  completed: number;
  failed: number;
}

class Caller {
  readonly #options: LoadOptions;
  readonly #user: string;
  readonly #counts: CallCounts;
  #connection: UserConnection | undefined;
  #calls = 0;
  #going = false;

  constructor(options: LoadOptions, user: string, counts: CallCounts) {
    this.#options = options;
    this.#user = user;
    this.#counts = counts;
  }
  async signIn(): Promise<void> {
    this.#connection = await UserConnection.signIn(this.#options, this.#user, (head) => this.#handle(head));
  }
  begin(atOnce: number): void {
    this.#going = true;
    for (let count = 0; count < atOnce; count++) this.#call();
  }
  stop(): void {
    this.#going = false;
  }
  close(): void {
    this.#connection?.close();
  }

  #call(): void {
    const { domain } = this.#options;
    this.#send('INVITE', `sip:sink@${domain}`, `call${this.#calls++}`, 1, `<sip:sink@${domain}>`, []);
  }
  #handle(head: string): void {
    if (!head.startsWith('SIP/2.0')) {
      this.#connection?.write(accepted(head, 'load'));
      return;
    }
    if (head.startsWith('SIP/2.0 1')) return;
    const [, method = ''] = (headerValue(head, 'CSeq') ?? '').split(' ');
    if (!head.startsWith('SIP/2.0 200')) this.#over('failed');
    else if (method === 'BYE') this.#over('completed');
    else this.#hangUp(head);
  }
  /** RFC 3261 §12.1.2: the route set of the caller is the Record-Route from the bottom up. */
  #hangUp(head: string): void {
    const call = (headerValue(head, 'Call-ID') ?? '').split('-')[0] ?? '';
    const target = /<([^>]+)>/.exec(headerValue(head, 'Contact') ?? '')?.[1] ?? '';
    const routes = [...head.matchAll(/\r\nRecord-Route[ \t]*:[ \t]*([^\r]*)/gi)].flatMap(([, value]) =>
      (value ?? '').split(','),
    );
    const route = routes.length === 0 ? [] : [`Route: ${routes.reverse().join(', ')}`];
    const to = headerValue(head, 'To') ?? '';
    this.#send('ACK', target, call, 1, to, route);
    this.#send('BYE', target, call, 2, to, route);
  }
  #over(how: 'completed' | 'failed'): void {
    this.#counts[how] += 1;
    if (this.#going) this.#call();
  }

  #send(method: string, uri: string, id: string, cseq: number, to: string, extra: readonly string[]): void {
    const connection = this.#connection;
    connection?.write(connection.request({ method, uri, to, id, cseq, extra }));
  }
}

/** All callers of one proxy. */
export class CallLoad {
  readonly counts: CallCounts = { completed: 0, failed: 0 };
  readonly #callers: readonly Caller[];

  constructor(options: LoadOptions) {
    const numbers = Array.from({ length: options.connections }, (_, index) => index);
    this.#callers = numbers.map((index) => new Caller(options, `caller${index}`, this.counts));
  }
  async signIn(): Promise<void> {
    for (const caller of this.#callers) await caller.signIn();
  }
  begin(underWay: number): void {
    for (const caller of this.#callers)
      caller.begin(Math.max(1, Math.round(underWay / this.#callers.length)));
  }
  stop(): void {
    for (const caller of this.#callers) caller.stop();
  }
  close(): void {
    for (const caller of this.#callers) caller.close();
  }
}
