import assert from 'node:assert/strict';
import { buildResponse, type SipMessage, type SipRequest, type SipResponse } from '#protocols/sip';
import type { Ledger } from './ledger.ts';
import { asRequest, request } from './messages.ts';
import { dialogResponse } from './plays.ts';

/** What bytes can be sent to, and from which messages come. */
export interface Hop {
  sends(bytes: Buffer): void;
}

/** One end's view of a call (RFC 3261 §12). */
interface Call {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly route: readonly string[];
  cseq: number;
}

export interface AgentOptions {
  /** Address of record, as `sip:alice@example.com`. */
  readonly address: string;
  readonly contact: string;
  /** Host and port of the Via. */
  readonly sentBy: string;
  readonly ledger: Ledger;
  /** Where it sends its next request. */
  readonly hop: () => Hop;
}

type Fields = Readonly<Record<string, string | readonly string[]>>;
let numbers = 0;

/** A user agent that does by itself what it is asked, answers 200 to everybody, and writes both down in the ledger. */
export class TestAgent {
  readonly options: AgentOptions;
  readonly #pending = new Map<string, (response: SipResponse) => void>();
  readonly #calls = new Map<string, Call>();
  /** Requests that it is to answer later. */
  holds: (received: SipRequest) => boolean = () => false;
  #held: (() => void)[] = [];

  constructor(options: AgentOptions) {
    this.options = options;
  }

  /** A request outside of any call; resolves with the final answer. */
  ask(flow: string, method: string, uri: string, fields: Fields = {}, body?: string): Promise<SipResponse> {
    numbers += 1;
    const { address } = this.options;
    const standing = {
      From: `<${address}>;tag=a${numbers}`,
      To: `<${uri}>`,
      'Call-ID': `n${numbers}`,
      ...fields,
    };
    const text = method === 'MESSAGE' ? `text ${numbers}` : '';
    return this.#send(flow, method, uri, standing, body ?? text);
  }
  /** INVITE, 200, ACK; resolves with the name of the call, which both ends know it by. */
  async call(flow: string, uri: string): Promise<string> {
    const { address, contact } = this.options;
    const answer = await this.ask(flow, 'INVITE', uri, { Contact: `<${contact}>` });
    assert.equal(answer.status, 200, answer.bytes.toString());
    const local = answer.header('From') ?? `<${address}>`;
    const call = {
      callId: answer.callId,
      local,
      remote: answer.header('To') ?? '',
      target: uriOf(answer.header('Contact')),
      route: answer.values('Record-Route').reverse(),
      cseq: 1,
    };
    this.#calls.set(call.callId, call);
    void this.#sendWithin(flow, call, 'ACK');
    return call.callId;
  }
  /** A request within a call of either end; resolves with the final answer. */
  within(flow: string, callId: string, method: string): Promise<SipResponse> {
    const call = this.#calls.get(callId) ?? assert.fail(`no call ${callId}`);
    if (method === 'BYE') this.#calls.delete(callId);
    return this.#sendWithin(flow, call, method);
  }
  get held(): number {
    return this.#held.length;
  }
  /** Answers what it held, and holds nothing more. */
  release(): void {
    this.holds = () => false;
    for (const answer of this.#held) answer();
    this.#held = [];
  }

  /** To be given everything that arrives. */
  handle(message: SipMessage, from: Hop): void {
    if (message.kind === 'response') this.#handleResponse(message);
    else this.#handleRequest(message, from);
  }

  #handleRequest(received: SipRequest, from: Hop): void {
    this.options.ledger.arrived(received);
    if (received.method === 'ACK') return;
    const answer = () => this.#answer(received, from);
    if (this.holds(received)) this.#held.push(answer);
    else answer();
  }
  #answer(received: SipRequest, from: Hop): void {
    const { contact } = this.options;
    if (received.method !== 'INVITE') {
      from.sends(buildResponse(received, 200, { toTag: 'answer' }));
      return;
    }
    const recorded = received.values('Record-Route');
    const fields = { 'Record-Route': recorded.join(', '), Contact: `<${contact}>` };
    from.sends(dialogResponse(received, 200, { tag: 'callee', ...fields }));
    this.#calls.set(received.callId, {
      callId: received.callId,
      local: `${received.header('To')};tag=callee`,
      remote: received.header('From') ?? '',
      target: uriOf(received.header('Contact')),
      route: recorded,
      cseq: 1000,
    });
  }
  #handleResponse(response: SipResponse): void {
    if (response.status < 200) return;
    const branch = response.topVia.branch ?? '';
    const answered = this.#pending.get(branch);
    assert.ok(answered !== undefined, `nobody waits for ${response.bytes.toString()}`);
    this.#pending.delete(branch);
    this.options.ledger.answered(response);
    answered(response);
  }

  #sendWithin(flow: string, call: Call, method: string): Promise<SipResponse> {
    if (method !== 'ACK') call.cseq += 1;
    const { callId, local, remote, target, route, cseq } = call;
    return this.#send(flow, method, target, {
      From: local,
      To: remote,
      'Call-ID': callId,
      CSeq: `${cseq} ${method}`,
      ...(route.length === 0 ? {} : { Route: route }),
    });
  }
  #send(flow: string, method: string, uri: string, fields: Fields, body = ''): Promise<SipResponse> {
    numbers += 1;
    const branch = `z9hG4bKagent${numbers}`;
    const Via = `SIP/2.0/TLS ${this.options.sentBy};branch=${branch}`;
    const bytes = request(method, uri, { Via, ...fields }, body);
    this.options.ledger.sent(asRequest(bytes), flow);
    const answer = new Promise<SipResponse>((resolve) => {
      if (method !== 'ACK') this.#pending.set(branch, resolve);
    });
    this.options.hop().sends(bytes);
    return answer;
  }
}

function uriOf(contact: string | undefined): string {
  return /<([^>]+)>/.exec(contact ?? '')?.[1] ?? assert.fail(`no Contact: ${contact}`);
}
