import { FailureError, failure, randomToken } from '#kernel';
import { answerAudio, audioOffer, formatSdp, type LocalAudio, parseSdp, readAudio } from '#protocols/sdp';
import { Dialog, newBranch, type ServerTransaction, type SipRequest, type SipResponse } from '#protocols/sip';
import type { Phone } from './phone.ts';
import { newSessionId, type RelayedPath } from './relayed-path.ts';

/** What a call sends and receives by; the path is connected to the peer when the peer is known. */
export interface CallMedia {
  readonly path: RelayedPath;
}

const SDP: readonly [string, string] = ['Content-Type', 'application/sdp'];

/** One established call. */
export class Call {
  readonly media: CallMedia;
  /** Resolves when the call is up at both ends: answered, and as callee acknowledged. */
  readonly established: Promise<void>;
  readonly #phone: Phone;
  readonly #dialog: Dialog;
  #acknowledged: () => void = () => {};
  #ended = false;

  private constructor(phone: Phone, dialog: Dialog, media: CallMedia, established: boolean) {
    this.#phone = phone;
    this.#dialog = dialog;
    this.media = media;
    this.established = established
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#acknowledged = resolve;
        });
  }
  get dialogId(): string {
    return this.#dialog.id;
  }
  get ended(): boolean {
    return this.#ended;
  }

  /** INVITE, and ACK to its 2xx. */
  static async dial(phone: Phone, to: string, media: CallMedia, onRinging: () => void): Promise<Call> {
    const plan = {
      ...phone.plan('INVITE', to),
      headers: [['Contact', phone.contact], ['Allow', 'INVITE, ACK, BYE, CANCEL, MESSAGE'], SDP] as const,
      body: formatSdp(audioOffer(localAudio(media))),
    };
    const { request, response } = await phone.transact(plan, ({ status }) => {
      if (status > 100) onRinging();
    });
    const dialog = Dialog.asUac(request, response);
    if (!dialog.ok) throw new FailureError(failure('SLP-APP-0007', dialog.error));
    const call = new Call(phone, dialog.value, media, true);
    const branch = newBranch(phone.options.random);
    const ack = dialog.value.ack(request.cseq.number, { via: phone.via(branch) });
    phone.endpoint.sendStateless(phone.flow, ack.bytes);
    await media.path.connect(audioOf(response));
    return call;
  }

  /** 200 with our answer; undefined when the offer cannot be answered (and was refused). */
  static async answer(
    phone: Phone,
    request: SipRequest,
    transaction: ServerTransaction,
    media: CallMedia,
  ): Promise<Call | undefined> {
    const offer = parseSdp(request.body);
    const answer = offer.ok ? answerAudio(offer.value, localAudio(media)) : offer;
    const toTag = randomToken(phone.options.random, 10);
    const dialog = Dialog.asUas(request, toTag, 200);
    if (!answer.ok || !dialog.ok) {
      phone.endpoint.respond(transaction, answer.ok ? 400 : 488);
      return undefined;
    }
    await media.path.connect(answer.value.peer);
    if (!transaction.pending) {
      // Given up while we made ready to answer.
      await media.path.close();
      return undefined;
    }
    const call = new Call(phone, dialog.value, media, false);
    phone.endpoint.respond(transaction, 200, {
      toTag,
      headers: [['Contact', phone.contact], SDP],
      body: formatSdp(answer.value.answer),
    });
    return call;
  }

  isFor(request: SipRequest): boolean {
    const { callId, localTag, remoteTag } = this.#dialog;
    return request.callId === callId && request.to.tag === localTag && request.from.tag === remoteTag;
  }
  handleAck(): void {
    this.#acknowledged();
  }
  handleRequest(request: SipRequest, transaction: ServerTransaction): void {
    const taken = this.#dialog.handleRequest(request);
    if (!taken.ok)
      return this.#phone.endpoint.respond(transaction, taken.error === 'cseq-out-of-order' ? 500 : 481);
    if (request.method !== 'BYE') return this.#phone.endpoint.respond(transaction, 501);
    this.#phone.endpoint.respond(transaction, 200);
    this.#end();
  }
  /** The phone's connection is gone. */
  handleLost(): void {
    this.#ended = true;
    this.#dialog.terminate();
  }

  /** BYE; resolves with its answer. */
  async hangUp(): Promise<void> {
    const { endpoint, flow, options } = this.#phone;
    const branch = newBranch(options.random);
    const bye = this.#dialog.request('BYE', { via: this.#phone.via(branch) });
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new FailureError(failure('SLP-APP-0006', `BYE: ${why}`)));
      const settle = ({ status, reason }: SipResponse) => {
        if (status >= 300) fail(`${status} ${reason}`);
        else if (status >= 200) resolve();
      };
      const sent = endpoint.request(
        flow,
        { method: 'BYE', branch, bytes: bye.bytes },
        { onResponse: settle, onFailure: fail },
      );
      if (!sent.ok) fail(sent.error);
    });
    this.#dialog.terminate();
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#phone.forget(this);
  }
}

function localAudio({ path }: CallMedia): LocalAudio {
  const { address, port } = path.relayed;
  return { address, port, sessionId: newSessionId(), sessionVersion: 1, rtcpOnSamePort: true };
}

function audioOf(response: SipResponse): { address: string; port: number } {
  const description = parseSdp(response.body);
  const audio = description.ok ? readAudio(description.value) : description;
  if (!audio.ok) throw new FailureError(failure('SLP-APP-0008', audio.error));
  return audio.value;
}
