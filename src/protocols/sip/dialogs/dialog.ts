import { err, ok, type Result } from '#kernel';
import { buildRequest } from '../messages/build.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { formatNameAddress } from '../messages/name-address.ts';
import { dialogId } from './dialog-id.ts';
import { type Route, readRouteSet, readRoutes, readTarget, requestRouting } from './route-set.ts';

export type DialogState = 'early' | 'confirmed' | 'terminated';

/** Why a message begins no dialog, or has no place in this one. */
export type DialogRefusal =
  /** A tag that every dialog needs is missing. */
  | 'tag'
  /** No Contact that is a SIP or SIPS URI. */
  | 'contact'
  /** A Record-Route that cannot be followed, or too long a route set. */
  | 'route'
  /** Of another dialog. */
  | 'other-dialog'
  /** RFC 3261 §12.2.2: older than what was seen; answered with 500. */
  | 'cseq-out-of-order'
  | 'terminated';

/** What an in-dialog request consists of besides the dialog's own part. */
export interface DialogRequestOptions {
  /** The topmost Via value with its branch, e.g. `SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK…`. */
  readonly via: string;
  /** Contact, Content-Type and whatever else; in this order, behind the dialog's own headers. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** A request ready to be sent by a client transaction. */
export interface DialogRequest {
  readonly method: string;
  readonly cseq: number;
  readonly bytes: Buffer;
}

/** A confirmed dialog as it is written down, to go on with it after a restart. */
export interface DialogRecord extends Facts {
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly localCSeq?: number;
  readonly remoteCSeq?: number;
}

interface Facts {
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localUri: string;
  readonly localTag: string;
  readonly remoteUri: string;
  readonly remoteTag: string;
  readonly secure: boolean;
}

/** Methods whose Contact moves the remote target (RFC 3261 §12.2, RFC 3311 §5.1; of subscriptions: RFC 5057). */
const TARGET_REFRESH = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY']);
const MAX_FORWARDS = '70';

/** The dialog of RFC 3261 §12, from either side. */
export class Dialog {
  readonly role: 'uac' | 'uas';
  readonly id: string;
  readonly callId: string;
  readonly localUri: string;
  readonly localTag: string;
  readonly remoteUri: string;
  readonly remoteTag: string;
  /** Begun by a request to a SIPS URI: every request of it goes over TLS. */
  readonly secure: boolean;
  #state: DialogState;
  #routeSet: readonly Route[];
  #remoteTarget: string;
  #localCSeq: number | undefined;
  #remoteCSeq: number | undefined;

  private constructor(facts: Facts, state: DialogState, routeSet: readonly Route[], target: string) {
    this.role = facts.role;
    this.callId = facts.callId;
    this.localUri = facts.localUri;
    this.localTag = facts.localTag;
    this.remoteUri = facts.remoteUri;
    this.remoteTag = facts.remoteTag;
    this.secure = facts.secure;
    this.id = dialogId(facts.callId, facts.localTag, facts.remoteTag);
    this.#state = state;
    this.#routeSet = routeSet;
    this.#remoteTarget = target;
  }

  /** RFC 3261 §12.1.2: the response (101 to 299) to a request of ours begins a dialog. */
  static asUac(request: SipRequest, response: SipResponse): Result<Dialog, DialogRefusal> {
    const localTag = request.from.tag;
    const remoteTag = response.to.tag;
    if (localTag === undefined || remoteTag === undefined) return err('tag');
    const routeSet = readRouteSet(response);
    if (!routeSet.ok) return routeSet;
    const target = readTarget(response);
    if (!target.ok) return target;
    const facts: Facts = {
      role: 'uac',
      callId: request.callId,
      localUri: request.from.uri,
      localTag,
      remoteUri: request.to.uri,
      remoteTag,
      secure: isSips(request.uri),
    };
    const state = response.status < 200 ? 'early' : 'confirmed';
    const dialog = new Dialog(facts, state, [...routeSet.value].reverse(), target.value);
    dialog.#localCSeq = request.cseq.number;
    return ok(dialog);
  }

  /** RFC 3261 §12.1.1: we answer a request with `toTag` and a status of 101 to 299. */
  static asUas(request: SipRequest, toTag: string, status: number): Result<Dialog, DialogRefusal> {
    const remoteTag = request.from.tag;
    if (remoteTag === undefined || toTag === '') return err('tag');
    const routeSet = readRouteSet(request);
    if (!routeSet.ok) return routeSet;
    const target = readTarget(request);
    if (!target.ok) return target;
    const facts: Facts = {
      role: 'uas',
      callId: request.callId,
      localUri: request.to.uri,
      localTag: toTag,
      remoteUri: request.from.uri,
      remoteTag,
      secure: isSips(request.uri),
    };
    const dialog = new Dialog(facts, status < 200 ? 'early' : 'confirmed', routeSet.value, target.value);
    dialog.#remoteCSeq = request.cseq.number;
    return ok(dialog);
  }

  /** The dialog of a record; undefined when its routes cannot be read. */
  static restore(record: DialogRecord): Dialog | undefined {
    const routes = readRoutes(record.routeSet);
    if (!routes.ok) return undefined;
    const dialog = new Dialog(record, 'confirmed', routes.value, record.remoteTarget);
    dialog.#localCSeq = record.localCSeq;
    dialog.#remoteCSeq = record.remoteCSeq;
    return dialog;
  }
  /** Everything that {@link restore} needs. */
  get record(): DialogRecord {
    const { role, callId, localUri, localTag, remoteUri, remoteTag, secure, remoteTarget, routeSet } = this;
    return {
      ...{ role, callId, localUri, localTag, remoteUri, remoteTag, secure, remoteTarget, routeSet },
      ...(this.#localCSeq === undefined ? {} : { localCSeq: this.#localCSeq }),
      ...(this.#remoteCSeq === undefined ? {} : { remoteCSeq: this.#remoteCSeq }),
    };
  }

  get state(): DialogState {
    return this.#state;
  }
  /** Where requests of ours go: the peer's Contact. */
  get remoteTarget(): string {
    return this.#remoteTarget;
  }
  /** Route values in the order in which a request of ours visits them. */
  get routeSet(): readonly string[] {
    return this.#routeSet.map((route) => route.text);
  }
  get localCSeq(): number | undefined {
    return this.#localCSeq;
  }
  get remoteCSeq(): number | undefined {
    return this.#remoteCSeq;
  }

  /**
   * As UAC: a later response of the dialog. A 2xx to the first INVITE confirms an early dialog and sets its
   * route set anew (RFC 3261 §13.2.2.4); a 2xx to a target refresh request moves the remote target
   * (§12.2.1.2).
   */
  handleResponse(response: SipResponse): Result<void, DialogRefusal> {
    if (this.#state === 'terminated') return err('terminated');
    if (dialogId(response.callId, response.from.tag, response.to.tag) !== this.id) return err('other-dialog');
    const { status, cseq } = response;
    if (status >= 300 && cseq.method === 'INVITE' && this.#state === 'early') this.#state = 'terminated';
    if (status === 481 || status === 408) this.#state = 'terminated';
    if (status < 200 || status >= 300 || !TARGET_REFRESH.has(cseq.method)) return ok(undefined);
    if (this.#state === 'early' && cseq.method === 'INVITE') {
      const routeSet = readRouteSet(response);
      if (!routeSet.ok) return routeSet;
      this.#routeSet = [...routeSet.value].reverse();
      this.#state = 'confirmed';
    }
    const target = readTarget(response);
    if (target.ok) this.#remoteTarget = target.value;
    return ok(undefined);
  }

  /** RFC 3261 §12.2.2: a request from the peer; the caller answers, by 500 for `cseq-out-of-order`. */
  handleRequest(request: SipRequest): Result<void, DialogRefusal> {
    if (this.#state === 'terminated') return err('terminated');
    if (dialogId(request.callId, request.to.tag, request.from.tag) !== this.id) return err('other-dialog');
    const { method, cseq } = request;
    if (method === 'ACK') return ok(undefined);
    if (this.#remoteCSeq !== undefined && cseq.number <= this.#remoteCSeq) return err('cseq-out-of-order');
    this.#remoteCSeq = cseq.number;
    if (method === 'BYE') this.#state = 'terminated';
    if (!TARGET_REFRESH.has(method)) return ok(undefined);
    const target = readTarget(request);
    if (target.ok) this.#remoteTarget = target.value;
    return ok(undefined);
  }

  /** As UAS: our 2xx to the first INVITE left. */
  confirm(): void {
    if (this.#state === 'early') this.#state = 'confirmed';
  }
  /** Our BYE was sent, or the call is given up. */
  terminate(): void {
    this.#state = 'terminated';
  }

  /** RFC 3261 §12.2.1.1: the next request in the dialog; counts CSeq up. Not for ACK and CANCEL. */
  request(method: string, options: DialogRequestOptions): DialogRequest {
    const cseq = (this.#localCSeq ?? 0) + 1;
    this.#localCSeq = cseq;
    return this.#build(method, cseq, options);
  }
  /** RFC 3261 §13.2.2.4: the ACK for a 2xx, with the CSeq number of its INVITE. */
  ack(inviteCSeq: number, options: DialogRequestOptions): DialogRequest {
    return this.#build('ACK', inviteCSeq, options);
  }

  #build(method: string, cseq: number, options: DialogRequestOptions): DialogRequest {
    const { uri, routes } = requestRouting(this.#routeSet, this.#remoteTarget);
    const headers: (readonly [string, string])[] = [
      ['Via', options.via],
      ['Max-Forwards', MAX_FORWARDS],
      ...routes.map((route) => ['Route', route] as const),
      ['From', formatNameAddress({ uri: this.localUri, tag: this.localTag })],
      ['To', formatNameAddress({ uri: this.remoteUri, tag: this.remoteTag })],
      ['Call-ID', this.callId],
      ['CSeq', `${cseq} ${method}`],
      ...(options.headers ?? []),
    ];
    const { body } = options;
    const bytes = buildRequest(
      body === undefined ? { method, uri, headers } : { method, uri, headers, body },
    );
    return { method, cseq, bytes };
  }
}

function isSips(uri: string): boolean {
  return uri.slice(0, 5).toLowerCase() === 'sips:';
}
