import type { SipResponse } from '../messages/message.ts';
import { ClientTransaction } from './client-transaction.ts';
import type { Machinery } from './machinery.ts';
import { NOTHING } from './transaction.ts';

/** RFC 3261 §17.1.2. */
export class NonInviteClientTransaction extends ClientTransaction {
  begin(machinery: Machinery): void {
    machinery.send(this.flow, this.bytes);
    machinery.start(this.lifetime, this.timers.b);
    const { retransmit } = this.timers;
    // Over reliable transport the request will not be needed again.
    if (this.retransmission === undefined || retransmit === undefined) this.bytes = NOTHING;
    else machinery.start(this.retransmission, retransmit);
  }

  handleResponse(response: SipResponse, machinery: Machinery): boolean {
    if (this.state !== 'trying' && this.state !== 'proceeding') return false;
    if (response.status < 200) {
      this.state = 'proceeding';
      return true;
    }
    machinery.stop(this.retransmission);
    this.bytes = NOTHING;
    if (this.timers.k === 0) {
      machinery.end(this);
      return true;
    }
    this.state = 'completed';
    machinery.start(this.lifetime, this.timers.k);
    return true;
  }

  handleRetransmission(machinery: Machinery): void {
    const { retransmission, timers } = this;
    if (retransmission === undefined || !this.pending) return;
    machinery.send(this.flow, this.bytes);
    const doubled = Math.min(retransmission.interval * 2, timers.t2);
    machinery.start(retransmission, this.state === 'proceeding' ? timers.t2 : doubled);
  }

  handleLifetime(machinery: Machinery): void {
    if (this.pending) machinery.timeout(this);
    else machinery.end(this);
  }
}
