import type { SipResponse } from '../messages/message.ts';
import { ClientTransaction } from './client-transaction.ts';
import { ackFor } from './hop-requests.ts';
import type { Machinery } from './machinery.ts';
import { NOTHING } from './transaction.ts';

const NO_REASONS: readonly string[] = [];

/** RFC 3261 §17.1.1 with the accepted state of RFC 6026 §7.2. */
export class InviteClientTransaction extends ClientTransaction {
  /** Kept until Timer D ends, for retransmitted final responses. */
  #ack: Buffer = NOTHING;
  /** RFC 3261 §9.1: no CANCEL before a provisional response came. */
  #cancel: 'none' | 'held' | 'sent' = 'none';
  /** The CANCEL that was sent for it; it ends with this one, whose end it was to bring about. */
  ownCancel: ClientTransaction | undefined;
  /** Why it is given up: Reason values of its CANCEL. */
  reasons: readonly string[] = NO_REASONS;
  readonly #sendCancel: (invite: InviteClientTransaction) => void;

  constructor(
    self: ConstructorParameters<typeof ClientTransaction>[0],
    sendCancel: (invite: InviteClientTransaction) => void,
  ) {
    super(self);
    this.#sendCancel = sendCancel;
  }

  begin(machinery: Machinery): void {
    machinery.send(this.flow, this.bytes);
    machinery.start(this.lifetime, this.timers.b);
    const { retransmit } = this.timers;
    if (this.retransmission !== undefined && retransmit !== undefined) {
      machinery.start(this.retransmission, retransmit);
    }
  }

  cancel(machinery: Machinery, reasons: readonly string[]): void {
    if (this.#cancel === 'sent') return;
    if (reasons.length > 0) this.reasons = reasons;
    if (this.state === 'calling') this.#cancel = 'held';
    else if (this.state === 'proceeding') this.#cancelNow(machinery);
  }

  handleResponse(response: SipResponse, machinery: Machinery): boolean {
    const { status } = response;
    switch (this.state) {
      case 'calling':
      case 'proceeding':
        if (status < 200) this.#proceed(status, machinery);
        else if (status < 300) this.#accept(machinery);
        else this.#complete(response, machinery);
        return true;
      case 'accepted':
        return status >= 200 && status < 300;
      case 'completed':
        if (status >= 300) this.#acknowledge(machinery);
        return false;
      default:
        return false;
    }
  }

  handleRetransmission(machinery: Machinery): void {
    const { retransmission } = this;
    if (retransmission === undefined || this.state !== 'calling') return;
    machinery.send(this.flow, this.bytes);
    machinery.start(retransmission, retransmission.interval * 2);
  }

  handleLifetime(machinery: Machinery): void {
    // Timer C: a pending CANCEL gets 64 * T1 to bring the 487 (RFC 3261 §9.1, §16.8).
    if (this.state === 'proceeding' && this.#cancel !== 'sent') this.#cancelNow(machinery);
    else if (this.pending) machinery.timeout(this);
    else machinery.end(this);
  }

  override release(): void {
    super.release();
    this.#ack = NOTHING;
  }

  #proceed(status: number, machinery: Machinery): void {
    const first = this.state === 'calling';
    this.state = 'proceeding';
    machinery.stop(this.retransmission);
    // RFC 3261 §16.7 step 2: every provisional response but 100 begins Timer C anew.
    if (this.#cancel !== 'sent' && (first || status > 100)) machinery.start(this.lifetime, this.timers.c);
    if (this.#cancel === 'held') this.#cancelNow(machinery);
  }
  #accept(machinery: Machinery): void {
    this.state = 'accepted';
    this.bytes = NOTHING;
    machinery.stop(this.retransmission);
    machinery.start(this.lifetime, this.timers.b);
  }
  #complete(response: SipResponse, machinery: Machinery): void {
    machinery.stop(this.retransmission);
    this.#ack = ackFor(this.bytes, response);
    this.bytes = NOTHING;
    this.#acknowledge(machinery);
    if (this.timers.d === 0) {
      machinery.end(this);
      return;
    }
    this.state = 'completed';
    machinery.start(this.lifetime, this.timers.d);
  }
  #acknowledge(machinery: Machinery): void {
    if (this.#ack.length > 0) machinery.send(this.flow, this.#ack);
  }
  #cancelNow(machinery: Machinery): void {
    this.#cancel = 'sent';
    machinery.start(this.lifetime, this.timers.b);
    this.#sendCancel(this);
  }
}
