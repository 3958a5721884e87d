import type { Clock, Random } from '#kernel';
import type { PoolMember, RespondOptions, SipEndpoint, SipFlow, SipFlowPool } from '#platform/sip-endpoint';
import {
  buildRequest,
  type Dialog,
  newBranch,
  parseSipMessage,
  type ServerTransaction,
  SipRequest,
  type SipResponse,
  sipLimits,
} from '#protocols/sip';

type Headers = readonly (readonly [string, string])[];

/** A request outside a dialog. */
export interface RequestSketch {
  readonly method: string;
  readonly uri: string;
  /** The From address, and the tag that it bears. */
  readonly from: string;
  readonly fromTag: string;
  readonly callId: string;
  readonly cseq: number;
  readonly headers?: Headers;
  readonly body?: Uint8Array;
}

/** What became of a request; exactly one, except for further responses to an INVITE. */
export type SipOutcome =
  | { readonly kind: 'response'; readonly response: SipResponse; readonly request: SipRequest }
  | { readonly kind: 'failed'; readonly cause: SipFailure };

export type SipFailure = 'unreachable' | 'timeout' | 'transport' | 'too-large' | 'overload';

export interface SipSideOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly endpoint: SipEndpoint;
  readonly pool: Pick<SipFlowPool, 'memberFor' | 'members' | 'whenOpen'>;
  /** How the gateway names itself in Via and Contact. */
  readonly own: { readonly host: string; readonly port: number };
}

/** The way to the next hop: requests over the connections of the pool, and their one outcome. */
export class SipSide {
  readonly #options: SipSideOptions;

  constructor(options: SipSideOptions) {
    this.#options = options;
  }

  /** A Contact that leads to the gateway, for this user part (escaped already). */
  contact(user: string): string {
    const { host, port } = this.#options.own;
    return `<sip:${user}@${host}:${port};transport=tls>`;
  }

  /** Sends a request outside a dialog; `done` hears of its final response or failure. */
  request(sketch: RequestSketch, done: (outcome: SipOutcome) => void): void {
    const { method, uri, from, fromTag, callId, cseq, headers = [], body } = sketch;
    this.#send(callId, method, done, (via) =>
      buildRequest({
        method,
        uri,
        headers: [
          ['Via', via],
          ['Max-Forwards', '70'],
          ['From', `<${from}>;tag=${fromTag}`],
          ['To', `<${uri}>`],
          ['Call-ID', callId],
          ['CSeq', `${cseq} ${method}`],
          ...headers,
        ],
        ...(body === undefined ? {} : { body }),
      }),
    );
  }

  /** The same inside a dialog. */
  inDialog(
    dialog: Dialog,
    method: string,
    content: { readonly headers?: Headers; readonly body?: Uint8Array },
    done: (outcome: SipOutcome) => void,
  ): void {
    this.#send(dialog.callId, method, done, (via) => dialog.request(method, { via, ...content }).bytes);
  }

  acknowledge(dialog: Dialog, inviteCSeq: number): void {
    this.#flow(dialog.callId, (flow) => {
      if (flow === undefined) return;
      const branch = newBranch(this.#options.random);
      this.#options.endpoint.sendStateless(flow, dialog.ack(inviteCSeq, { via: this.#via(branch) }).bytes);
    });
  }

  respond(transaction: ServerTransaction, status: number, options: RespondOptions = {}): void {
    this.#options.endpoint.respond(transaction, status, options);
  }

  #send(
    key: string,
    method: string,
    done: (outcome: SipOutcome) => void,
    build: (via: string) => Buffer,
  ): void {
    this.#flow(key, (flow) => {
      if (flow === undefined) return done({ kind: 'failed', cause: 'unreachable' });
      const branch = newBranch(this.#options.random);
      const bytes = build(this.#via(branch));
      const sent = this.#options.endpoint.request(
        flow,
        { method, branch, bytes },
        {
          onResponse: (response) => {
            if (response.status >= 200) done({ kind: 'response', response, request: readBack(bytes) });
          },
          onFailure: (cause) => done({ kind: 'failed', cause }),
        },
      );
      if (sent.ok) return;
      done({ kind: 'failed', cause: refusals[sent.error] });
    });
  }
  #flow(key: string, use: (flow: SipFlow | undefined) => void): void {
    const { pool } = this.#options;
    const member: PoolMember | undefined = pool.memberFor(key) ?? pool.members()[0];
    if (member === undefined) return use(undefined);
    pool.whenOpen(member, use, () => use(undefined));
  }
  /** RFC 5923 §4: what comes back may use this very connection. */
  #via(branch: string): string {
    const { host, port } = this.#options.own;
    return `SIP/2.0/TLS ${host}:${port};branch=${branch};alias`;
  }
}

const refusals = {
  'flow-closed': 'unreachable',
  full: 'overload',
  'duplicate-branch': 'overload',
  'too-large': 'too-large',
} as const;

/** What we have just written ourselves. */
function readBack(bytes: Buffer): SipRequest {
  const parsed = parseSipMessage(bytes, sipLimits);
  if (!parsed.ok || !(parsed.value instanceof SipRequest)) throw new Error('a request of ours is unreadable');
  return parsed.value;
}
