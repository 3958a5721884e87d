import { type Clock, FailureError, failure, type Random, randomToken } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import type { TrustAnchors } from '#platform/pki';
import { SipEndpoint, type SipFlow, type SipUser } from '#platform/sip-endpoint';
import { Metrics, silentLog } from '#platform/telemetry';
import { formatMrasRequest, MRAS_CONTENT_TYPE, parseMrasResponse } from '#protocols/credentials';
import {
  newBranch,
  parseSipMessage,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  sipLimits,
} from '#protocols/sip';
import { readInstantMessage, TYPING_TYPE, writeTyping } from '#protocols/sip-xmpp';
import { Call, type CallMedia } from './call.ts';
import { credentialHeaders, type PhoneIdentity, type RequestPlan, writeRequest } from './phone-requests.ts';
import type { RelayServer } from './relayed-path.ts';
import type { Subscription } from './subscription.ts';

export interface PhoneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: PhoneIdentity;
  /** Where the phone signs in: `name` is what the server's certificate must hold. */
  readonly server: { readonly address: string; readonly port: number; readonly name: string };
  readonly localAddress: string;
  readonly trust: TrustAnchors;
  /** Addresses of host names, in place of a name service. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly onMessage?: (from: string, text: string) => void;
  /** Somebody types, or does no longer; without it such indications are refused. */
  readonly onTyping?: (from: string, typing: 'active' | 'idle') => void;
  /** Answers an incoming call: gives the media to answer with, or a status to refuse with. */
  readonly onCall?: (from: string) => Promise<CallMedia | number>;
  readonly onCallEnded?: () => void;
}

/** What a phone learns at sign-in. */
export interface SignIn {
  /** True when the server says that we are outside. */
  readonly outside: boolean;
  readonly mrasUri: string | undefined;
}

const HANDSHAKE_MS = 10_000;
const EXPIRES_SECONDS = 600;
const PROVISIONING = 'vnd-microsoft-provisioning-v2';

/** A headless SIP phone over TLS: signs in, exchanges messages, fetches relay credentials, calls. */
export class Phone implements SipUser {
  readonly options: PhoneOptions;
  readonly endpoint: SipEndpoint;
  readonly flow: SipFlow;
  /** By Call-ID: a NOTIFY may come before the answer to its SUBSCRIBE. */
  readonly subscriptions = new Map<string, Subscription>();
  readonly #calls = new Map<string, Call>();
  #cseq = 0;

  private constructor(options: PhoneOptions, connection: Connection) {
    this.options = options;
    const { clock, random } = options;
    this.endpoint = new SipEndpoint({
      clock,
      random,
      log: silentLog(),
      metrics: new Metrics(),
      name: 'softphone',
      user: this,
    });
    const flow = this.endpoint.addFlow(connection);
    if (flow === undefined) throw new Error('the endpoint took no connection');
    this.flow = flow;
  }

  /** Opens the TLS connection; throws a FailureError that says why it could not. */
  static async connect(options: PhoneOptions): Promise<Phone> {
    const { server, localAddress, trust, clock } = options;
    const dialled = await dialTls({
      remote: server,
      localAddress,
      servername: server.name,
      trust,
      expectNames: [server.name],
      handshakeMs: HANDSHAKE_MS,
      clock,
      metrics: new Metrics(),
    });
    if (!dialled.ok) throw new FailureError(dialled.error);
    return new Phone(options, dialled.value);
  }

  get address(): string {
    return this.options.identity.address;
  }
  get domain(): string {
    return this.address.slice(this.address.indexOf('@') + 1);
  }
  /** Our Contact; requests for it come back on this connection whatever it says. */
  get contact(): string {
    const { address, port } = this.flow.connection.local;
    const host = address.includes(':') ? `[${address}]` : address;
    return `<sip:${this.address.slice(4, this.address.indexOf('@'))}@${host}:${port};transport=tls>`;
  }
  /** A Via of ours with this branch. */
  via(branch: string): string {
    const { address, port } = this.flow.connection.local;
    return `SIP/2.0/TLS ${address.includes(':') ? `[${address}]` : address}:${port};branch=${branch};rport`;
  }

  /** REGISTER, then the provisioning that tells where relay credentials are asked for. */
  async signIn(): Promise<SignIn> {
    const registered = await this.#register(EXPIRES_SECONDS);
    const provisioned = await this.request({
      ...this.#plan('SUBSCRIBE', this.address, this.address),
      headers: [
        ['Event', PROVISIONING],
        ['Accept', 'application/vnd-microsoft-roaming-provisioning-v2+xml'],
        ['Contact', this.contact],
        ['Expires', '0'],
      ],
    });
    return {
      outside: registered.header('ms-user-logon-data')?.toLowerCase() === 'remoteuser',
      mrasUri: /<mrasUri>([^<]+)<\/mrasUri>/.exec(provisioned.body.toString())?.[1],
    };
  }
  async signOut(): Promise<void> {
    await this.#register(0);
  }
  /** Closes the connection. */
  close(): void {
    this.endpoint.close();
  }

  /** Sends an instant message (RFC 3428); resolves when it was accepted. */
  async message(to: string, text: string): Promise<void> {
    await this.request({
      ...this.#plan('MESSAGE', to, to),
      headers: [['Content-Type', 'text/plain;charset=UTF-8']],
      body: Buffer.from(text),
    });
  }

  /** Says that we type, or do no longer (RFC 3994). */
  async typing(to: string, typing: 'active' | 'idle'): Promise<void> {
    await this.request({
      ...this.#plan('MESSAGE', to, to),
      headers: [['Content-Type', TYPING_TYPE]],
      body: writeTyping(typing),
    });
  }

  /** Asks the A/V Authentication service for credentials ([MS-AVEDGEA] §2.2.1). */
  async relayCredentials(signIn: SignIn): Promise<RelayServer & { readonly host: string }> {
    if (signIn.mrasUri === undefined) throw new FailureError(failure('SLP-APP-0003'));
    const { random, hosts } = this.options;
    const location = signIn.outside ? 'internet' : 'intranet';
    const response = await this.request({
      ...this.#plan('SERVICE', signIn.mrasUri, signIn.mrasUri),
      headers: [['Content-Type', MRAS_CONTENT_TYPE]],
      body: formatMrasRequest({
        requestId: randomToken(random, 10),
        version: '2.0',
        to: signIn.mrasUri,
        from: this.address,
        route: 'loadbalanced',
        credentials: [{ id: randomToken(random, 10), identity: this.address, location, duration: 480 }],
      }),
    });
    const parsed = parseMrasResponse(response.body);
    const granted = parsed.ok ? parsed.value.credentials[0] : undefined;
    const relay = granted?.relays[0];
    if (!parsed.ok || granted === undefined || relay?.hostName === undefined || relay.udpPort === undefined) {
      throw new FailureError(failure('SLP-APP-0004', parsed.ok ? parsed.value.reason : parsed.error));
    }
    const { username, password } = granted.credentials;
    const host = relay.hostName;
    return { host, address: hosts.get(host) ?? host, port: relay.udpPort, username, password };
  }

  /** Calls; resolves when the other side has answered. `onRinging` hears of provisional responses. */
  async call(to: string, media: CallMedia, onRinging: () => void): Promise<Call> {
    const call = await Call.dial(this, to, media, onRinging);
    this.#calls.set(call.dialogId, call);
    return call;
  }

  /** Sends a request outside a dialog, with credentials once it is challenged; throws unless the answer is 2xx. */
  async request(plan: RequestPlan): Promise<SipResponse> {
    const { response } = await this.transact(plan, () => {});
    return response;
  }

  /** The same, and the request as it was sent last. */
  async transact(
    plan: RequestPlan,
    onProvisional: (response: SipResponse) => void,
  ): Promise<{ readonly request: SipRequest; readonly response: SipResponse }> {
    let outcome = await this.#send(plan, [], onProvisional);
    if (outcome.response.status === 401 || outcome.response.status === 407) {
      const { identity, random } = this.options;
      const credentials = credentialHeaders(outcome.response, plan, identity, random);
      if (credentials !== undefined) {
        outcome = await this.#send({ ...plan, cseq: ++this.#cseq }, credentials, onProvisional);
      }
    }
    const { status, reason } = outcome.response;
    if (status >= 300) throw new FailureError(failure('SLP-APP-0005', `${plan.method}: ${status} ${reason}`));
    return outcome;
  }

  plan(method: string, uri: string): RequestPlan {
    return this.#plan(method, uri, uri);
  }

  onRequest(request: SipRequest, _flow: SipFlow, transaction: ServerTransaction): void {
    const known = request.to.tag === undefined ? undefined : this.#callOf(request);
    const subscription = request.method === 'NOTIFY' ? this.subscriptions.get(request.callId) : undefined;
    if (known !== undefined) known.handleRequest(request, transaction);
    else if (subscription !== undefined) subscription.handleNotify(request, transaction);
    else if (request.to.tag !== undefined) this.endpoint.respond(transaction, 481);
    else if (request.method === 'MESSAGE') this.#handleMessage(request, transaction);
    else if (request.method === 'INVITE') void this.#handleInvite(request, transaction);
    else if (request.method === 'OPTIONS') this.endpoint.respond(transaction, 200);
    else this.endpoint.respond(transaction, 501);
  }
  onAck(request: SipRequest): void {
    this.#callOf(request)?.handleAck();
  }
  onCancel(_cancel: SipRequest, _flow: SipFlow, invite: ServerTransaction): void {
    this.endpoint.respond(invite, 487);
  }
  onFlowClosed(): void {
    for (const call of this.#calls.values()) call.handleLost();
    for (const subscription of [...this.subscriptions.values()]) subscription.handleLost();
    this.#calls.clear();
  }

  /** RFC 3428; typing (RFC 3994) where somebody wants to know of it. */
  #handleMessage(request: SipRequest, transaction: ServerTransaction): void {
    const { onMessage, onTyping } = this.options;
    const read = readInstantMessage(request.header('Content-Type'), request.body);
    const from = request.from.uri;
    if (read?.kind === 'text') {
      this.endpoint.respond(transaction, 200);
      onMessage?.(from, read.text);
    } else if (read?.kind === 'typing' && onTyping !== undefined) {
      this.endpoint.respond(transaction, 200);
      onTyping(from, read.typing);
    } else this.endpoint.respond(transaction, 415, { headers: [['Accept', 'text/plain']] });
  }

  #callOf(request: SipRequest): Call | undefined {
    for (const call of this.#calls.values()) if (call.isFor(request)) return call;
    return undefined;
  }

  async #handleInvite(request: SipRequest, transaction: ServerTransaction): Promise<void> {
    this.endpoint.respond(transaction, 180);
    try {
      const media = (await this.options.onCall?.(request.from.uri)) ?? 480;
      if (typeof media === 'number') return this.endpoint.respond(transaction, media);
      const call = await Call.answer(this, request, transaction, media);
      if (call !== undefined) this.#calls.set(call.dialogId, call);
    } catch (problem) {
      // The relay refused, or is gone: the caller hears of it, whatever else becomes of this phone.
      if (!(problem instanceof FailureError)) throw problem;
      if (transaction.pending) this.endpoint.respond(transaction, 500);
    }
  }

  /** The call has ended from either side. */
  forget(call: Call): void {
    this.#calls.delete(call.dialogId);
    this.options.onCallEnded?.();
  }

  #register(expires: number): Promise<SipResponse> {
    return this.request({
      ...this.#plan('REGISTER', `sip:${this.domain}`, this.address),
      headers: [
        ['Contact', this.contact],
        ['Expires', `${expires}`],
        ['Supported', 'path'],
      ],
    });
  }

  #plan(method: string, uri: string, to: string): RequestPlan {
    const { random } = this.options;
    return {
      method,
      uri,
      to,
      callId: randomToken(random, 24),
      fromTag: randomToken(random, 10),
      cseq: ++this.#cseq,
    };
  }

  #send(
    plan: RequestPlan,
    credentials: readonly (readonly [string, string])[],
    onProvisional: (response: SipResponse) => void,
  ): Promise<{ request: SipRequest; response: SipResponse }> {
    const branch = newBranch(this.options.random);
    const bytes = writeRequest(plan, this.options.identity, this.via(branch), credentials);
    const parsed = parseSipMessage(bytes, sipLimits);
    if (!parsed.ok || parsed.value.kind !== 'request') throw new Error('wrote a request that cannot be read');
    const request = parsed.value;
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        reject(new FailureError(failure('SLP-APP-0006', `${plan.method}: ${why}`)));
      const sent = this.endpoint.request(
        this.flow,
        { method: plan.method, branch, bytes },
        {
          onResponse: (response) =>
            response.status < 200 ? onProvisional(response) : resolve({ request, response }),
          onFailure: fail,
        },
      );
      if (!sent.ok) fail(sent.error);
    });
  }
}
