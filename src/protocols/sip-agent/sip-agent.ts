import { err, type Monotonic, ok, type Random, type Result, randomToken } from '#kernel';
import {
  buildResponse,
  Dialog,
  newBranch,
  parseSipMessage,
  type ServerTransaction,
  type SipMessage,
  SipRequest,
  type SipResponse,
  SipStreamFramer,
  sipLimits,
  type TransactionAction,
  TransactionLayer,
} from '#protocols/sip';
import { type AgentIdentity, answerOf, type HeaderList, type RequestPlan, writeRequest } from './requests.ts';

/** Why something that was asked for did not come about. */
export type AgentFailure =
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  /** No answer in 32 seconds. */
  | { readonly kind: 'timeout' }
  /** The connection is gone. */
  | { readonly kind: 'transport' }
  /** An answer that makes no dialog. */
  | { readonly kind: 'unusable' };

export interface SipAgentOptions {
  readonly random: Random;
  /** `WSS`: each chunk is one message (RFC 7118); `TLS`: chunks of a stream. */
  readonly transport: 'WSS' | 'TLS';
  /** A URN that stays when connections come and go, by which a server knows the same device (RFC 5626 §4.1). */
  readonly instance?: string;
  /** There is something in `takeOutput` though nothing arrived. */
  readonly onOutput: () => void;
  /** The other side has ended the dialog of our INVITE; with the status that its Reason gives (RFC 3326). */
  readonly onBye: (cause: number | undefined) => void;
}

/** The only flow of an agent. */
const FLOW = 1;
const REGISTER_SECONDS = 600;
const REFRESH_MS = 240_000;
const PING_MS = 25_000;
const PING = '\r\n\r\n';

type Settle = (outcome: Result<SipResponse, AgentFailure>) => void;

/**
 * A SIP user agent for one connection that its owner opened: signs a user in, begins one dialog by INVITE, keeps and ends it.
 * Sans-IO, and it runs in a browser (where `Buffer` and two functions of node:crypto are somebody else's).
 */
export class SipAgent {
  readonly #options: SipAgentOptions;
  readonly #layer = new TransactionLayer({ limits: { server: 16, client: 16 } });
  readonly #framer = new SipStreamFramer(sipLimits, 'asks');
  readonly #host: string;
  readonly #contact: string;
  #output: Buffer[] = [];
  #now: Monotonic = 0;
  #cseq = 0;
  #registered: { readonly plan: RequestPlan; at: Monotonic } | undefined;
  #invited: { readonly dialog: Dialog; readonly identity: AgentIdentity } | undefined;
  #pinged: Monotonic | undefined;

  constructor(options: SipAgentOptions) {
    this.#options = options;
    this.#host = `${randomToken(options.random, 12)}.invalid`;
    const transport = options.transport === 'WSS' ? 'ws' : 'tls';
    const instance = options.instance === undefined ? '' : `;+sip.instance="<${options.instance}>"`;
    this.#contact = `<sip:${randomToken(options.random, 8)}@${this.#host};transport=${transport}>${instance}`;
  }

  /** A message, or a part of the stream; false when the connection has to be closed. */
  handleBytes(chunk: Buffer, now: Monotonic): boolean {
    this.#now = now;
    if (this.#options.transport === 'WSS') {
      const parsed = parseSipMessage(chunk, sipLimits);
      if (parsed.ok) this.#handleMessage(parsed.value);
      return parsed.ok || chunk.length <= 4;
    }
    for (const event of this.#framer.push(chunk, now)) {
      if (event.type === 'message') this.#handleMessage(event.message);
    }
    return !this.#framer.closed;
  }
  /** To be called about once a second: time-outs, the sign-in kept alive. */
  handleTime(now: Monotonic): void {
    this.#now = now;
    this.#perform(this.#layer.handleTimeouts(now));
    const registered = this.#registered;
    if (registered !== undefined && now - registered.at > REFRESH_MS) {
      registered.at = now;
      void this.#request(registered.plan);
    }
    this.#pinged ??= now;
    if (this.#options.transport === 'TLS' && now - this.#pinged > PING_MS) {
      this.#pinged = now;
      this.#send(Buffer.from(PING));
    }
  }
  /** The connection is gone: whatever is waited for fails. */
  handleClosed(now: Monotonic): void {
    this.#now = now;
    this.#registered = undefined;
    this.#invited = undefined;
    this.#perform(this.#layer.handleFlowClosed(FLOW, now));
  }
  /** What to write; in WSS each is one message. */
  takeOutput(): Buffer[] {
    return this.#output.splice(0);
  }

  /** Signs a user in, until the connection ends (RFC 3261 §10). */
  async register(identity: AgentIdentity, now: Monotonic): Promise<Result<void, AgentFailure>> {
    this.#now = now;
    const { address } = identity;
    const plan = this.#plan('REGISTER', `sip:${address.slice(address.indexOf('@') + 1)}`, identity, [
      ['Contact', this.#contact],
      ['Expires', `${REGISTER_SECONDS}`],
      ['Supported', 'path'],
    ]);
    const outcome = await this.#request({ ...plan, to: address });
    if (!outcome.ok) return outcome;
    this.#registered = { plan: { ...plan, to: address }, at: this.#now };
    return ok(undefined);
  }

  /** Begins the dialog: INVITE without a body, and ACK (RFC 3261 §13). Gives the answer. */
  async invite(
    uri: string,
    identity: AgentIdentity,
    headers: HeaderList,
    now: Monotonic,
  ): Promise<Result<SipResponse, AgentFailure>> {
    this.#now = now;
    const own: HeaderList = [
      ['Contact', this.#contact],
      ['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS'],
    ];
    let sent: SipRequest | undefined;
    const plan = this.#plan('INVITE', uri, identity, [...own, ...headers]);
    const outcome = await this.#request(plan, (request) => {
      sent = request;
    });
    if (!outcome.ok || sent === undefined) return outcome;
    const dialog = Dialog.asUac(sent, outcome.value);
    if (!dialog.ok) return err({ kind: 'unusable' });
    this.#invited = { dialog: dialog.value, identity };
    this.#acknowledge(dialog.value, sent.cseq.number);
    return outcome;
  }
  /** INVITE within the dialog (RFC 3261 §14); gives the answer. */
  async reinvite(headers: HeaderList, now: Monotonic): Promise<Result<SipResponse, AgentFailure>> {
    this.#now = now;
    const invited = this.#invited;
    if (invited === undefined) return err({ kind: 'transport' });
    const { dialog, identity } = invited;
    const own: HeaderList = [['Contact', this.#contact], ...headers];
    let cseq = 0;
    const outcome = await this.#withCredentials('INVITE', dialog.remoteTarget, identity, (credentials) => {
      const branch = newBranch(this.#options.random);
      const request = dialog.request('INVITE', {
        via: this.#via(branch),
        headers: [...credentials, ...own],
      });
      cseq = request.cseq;
      return { branch, bytes: request.bytes };
    });
    if (!outcome.ok) return outcome;
    dialog.handleResponse(outcome.value);
    this.#acknowledge(dialog, cseq);
    return outcome;
  }
  /** Ends the dialog; resolves with the answer, or without when the connection ends first. */
  async bye(now: Monotonic): Promise<void> {
    this.#now = now;
    const invited = this.#invited;
    if (invited === undefined) return;
    this.#invited = undefined;
    const { dialog, identity } = invited;
    await this.#withCredentials('BYE', dialog.remoteTarget, identity, (credentials) => {
      const branch = newBranch(this.#options.random);
      const bye = dialog.request('BYE', { via: this.#via(branch), headers: credentials });
      return { branch, bytes: bye.bytes };
    });
  }

  #plan(method: string, uri: string, identity: AgentIdentity, headers: HeaderList): RequestPlan {
    const { random } = this.#options;
    const callId = randomToken(random, 24);
    return { method, uri, to: uri, identity, callId, fromTag: randomToken(random, 10), headers };
  }

  #request(
    plan: RequestPlan,
    onSent?: (request: SipRequest) => void,
  ): Promise<Result<SipResponse, AgentFailure>> {
    return this.#withCredentials(plan.method, plan.uri, plan.identity, (credentials) => {
      const branch = newBranch(this.#options.random);
      const bytes = writeRequest(plan, this.#via(branch), ++this.#cseq, credentials);
      const parsed = parseSipMessage(bytes, sipLimits);
      if (!parsed.ok || !(parsed.value instanceof SipRequest)) throw new Error('wrote what cannot be read');
      onSent?.(parsed.value);
      return { branch, bytes };
    });
  }
  /** Sends; when that is challenged sends again with an answer, once. */
  async #withCredentials(
    method: string,
    uri: string,
    identity: AgentIdentity,
    write: (credentials: HeaderList) => { readonly branch: string; readonly bytes: Buffer },
  ): Promise<Result<SipResponse, AgentFailure>> {
    let outcome = await this.#transact(method, write([]));
    if (outcome.ok && (outcome.value.status === 401 || outcome.value.status === 407)) {
      const answer = answerOf(outcome.value, { method, uri, identity }, this.#options.random);
      if (answer !== undefined) outcome = await this.#transact(method, write(answer));
    }
    if (!outcome.ok || outcome.value.status < 300) return outcome;
    const { status, reason } = outcome.value;
    return err({ kind: 'refused', status, reason });
  }
  #transact(
    method: string,
    { branch, bytes }: { readonly branch: string; readonly bytes: Buffer },
  ): Promise<Result<SipResponse, AgentFailure>> {
    return new Promise((resolve: Settle) => {
      const started = this.#layer.request(
        { method, branch, bytes, flow: FLOW },
        {
          onResponse: (response) => {
            if (response.status >= 200) resolve(ok(response));
          },
          onFailure: (kind) => resolve(err({ kind })),
        },
        this.#now,
      );
      if (started.type === 'started') this.#perform(started.actions);
      else resolve(err({ kind: 'transport' }));
      this.#options.onOutput();
    });
  }
  #acknowledge(dialog: Dialog, cseq: number): void {
    this.#send(dialog.ack(cseq, { via: this.#via(newBranch(this.#options.random)) }).bytes);
    this.#options.onOutput();
  }

  #handleMessage(message: SipMessage): void {
    if (message instanceof SipRequest) return this.#handleRequest(message);
    const outcome = this.#layer.handleResponse(message, FLOW, this.#now);
    this.#perform(outcome.actions);
    if (outcome.type === 'response') outcome.transaction.user?.onResponse(message, outcome.transaction);
  }
  #handleRequest(request: SipRequest): void {
    const outcome = this.#layer.handleRequest(request, FLOW, this.#now);
    if (outcome.type === 'absorbed') this.#perform(outcome.actions);
    else if (outcome.type === 'cancel') this.#respond(outcome.transaction, 481);
    else if (outcome.type === 'new') this.#respond(outcome.transaction, this.#answerTo(request));
    this.#options.onOutput();
  }
  #answerTo(request: SipRequest): number {
    if (request.to.tag === undefined) return request.method === 'OPTIONS' ? 200 : 480;
    const dialog = this.#invited?.dialog;
    const taken = dialog?.handleRequest(request);
    if (taken === undefined || !taken.ok) return taken?.error === 'cseq-out-of-order' ? 500 : 481;
    if (request.method !== 'BYE') return request.method === 'OPTIONS' ? 200 : 501;
    this.#invited = undefined;
    const cause = /^SIP\s*;(?:.*;)?\s*cause=(\d{3})\b/i.exec(request.header('Reason') ?? '')?.[1];
    this.#options.onBye(cause === undefined ? undefined : Number(cause));
    return 200;
  }
  #respond(transaction: ServerTransaction, status: number): void {
    const bytes = buildResponse(transaction.request, status, {
      toTag: randomToken(this.#options.random, 10),
    });
    this.#perform(this.#layer.respond(transaction, status, bytes, this.#now));
  }

  #perform(actions: readonly TransactionAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') this.#send(action.bytes);
      else if (action.type !== 'ended' && action.transaction.side === 'client') {
        const cause = action.type === 'timeout' ? 'timeout' : 'transport';
        action.transaction.user?.onFailure(cause, action.transaction);
      }
    }
  }
  #send(bytes: Buffer): void {
    this.#output.push(bytes);
  }
  #via(branch: string): string {
    return `SIP/2.0/${this.#options.transport} ${this.#host};branch=${branch};rport`;
  }
}
