import { buildResponse } from '../messages/build.ts';
import type { SipRequest } from '../messages/message.ts';
import { responseToTag } from './hop-requests.ts';
import type { Machinery } from './machinery.ts';
import { ServerTransaction } from './server-transaction.ts';
import { NOTHING } from './transaction.ts';

/** RFC 3261 §17.2.1 with the accepted state of RFC 6026 §7.1. */
export class InviteServerTransaction extends ServerTransaction {
  begin(machinery: Machinery): void {
    machinery.start(this.lifetime, this.timers.tryingInvite);
  }

  respond(status: number, bytes: Buffer, machinery: Machinery): boolean {
    if (this.state === 'accepted') {
      if (status < 200 || status >= 300) return false;
      machinery.send(this.flow, bytes);
      return true;
    }
    if (this.state !== 'proceeding') return false;
    machinery.send(this.flow, bytes);
    if (status < 200) {
      this.response = bytes;
      machinery.start(this.lifetime, this.timers.silentInvite);
    } else if (status < 300) {
      this.state = 'accepted';
      this.response = NOTHING;
      machinery.start(this.lifetime, this.timers.b);
    } else {
      this.#complete(bytes, machinery);
    }
    return true;
  }

  /** 'user' when the layer above has to see it: an ACK for a 2xx. */
  handleAck(ack: SipRequest, legacy: boolean, machinery: Machinery): 'absorbed' | 'user' {
    if (this.state === 'accepted') return 'user';
    if (this.state !== 'completed') return 'absorbed';
    // RFC 3261 §17.2.3: without a branch, the To tag ties the ACK to the response that it acknowledges.
    if (legacy && ack.to.tag !== responseToTag(this.response)) return 'user';
    machinery.stop(this.retransmission);
    if (this.timers.i === 0) {
      machinery.end(this);
    } else {
      this.state = 'confirmed';
      machinery.start(this.lifetime, this.timers.i);
    }
    return 'absorbed';
  }

  handleRepeated(machinery: Machinery): void {
    if (this.state !== 'proceeding' && this.state !== 'completed') return;
    if (this.response.length > 0) machinery.send(this.flow, this.response);
  }

  handleRetransmission(machinery: Machinery): void {
    const { retransmission } = this;
    if (retransmission === undefined || this.state !== 'completed') return;
    machinery.send(this.flow, this.response);
    machinery.start(retransmission, Math.min(retransmission.interval * 2, this.timers.t2));
  }

  handleLifetime(machinery: Machinery): void {
    if (this.state === 'proceeding' && this.response.length === 0) {
      this.respond(100, buildResponse(this.request, 100), machinery);
    } else if (this.state === 'proceeding' && this.user?.isAtWork?.() === true) {
      machinery.start(this.lifetime, this.timers.silentInvite);
    } else if (this.state === 'proceeding' || this.state === 'completed') {
      // Our own side fell silent, or Timer H: the ACK never came.
      machinery.timeout(this);
    } else {
      machinery.end(this);
    }
  }

  #complete(bytes: Buffer, machinery: Machinery): void {
    this.state = 'completed';
    this.response = bytes;
    machinery.start(this.lifetime, this.timers.b);
    const { retransmit } = this.timers;
    if (this.retransmission !== undefined && retransmit !== undefined) {
      machinery.start(this.retransmission, retransmit);
    }
  }
}
