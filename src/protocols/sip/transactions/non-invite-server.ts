import { buildResponse } from '../messages/build.ts';
import type { Machinery } from './machinery.ts';
import { ServerTransaction } from './server-transaction.ts';

/** RFC 3261 §17.2.2. */
export class NonInviteServerTransaction extends ServerTransaction {
  #late = false;

  begin(machinery: Machinery): void {
    machinery.start(this.lifetime, this.timers.tryingOther);
  }

  respond(status: number, bytes: Buffer, machinery: Machinery): boolean {
    if (!this.pending) return false;
    machinery.send(this.flow, bytes);
    if (status < 200) {
      this.state = 'proceeding';
      this.response = bytes;
    } else if (this.timers.j === 0) {
      machinery.end(this);
    } else {
      this.state = 'completed';
      this.response = bytes;
      machinery.start(this.lifetime, this.timers.j);
    }
    return true;
  }

  handleRepeated(machinery: Machinery): void {
    if (this.response.length > 0) machinery.send(this.flow, this.response);
  }

  /** A response to a request other than INVITE is repeated only when the request is. */
  handleRetransmission(): void {}

  handleLifetime(machinery: Machinery): void {
    if (this.pending && !this.#late) {
      this.#late = true;
      // RFC 4320 §4.1: by now even a client over reliable transport is told that we are at it.
      if (this.state === 'trying') this.respond(100, buildResponse(this.request, 100), machinery);
      machinery.start(this.lifetime, this.timers.b);
    } else if (this.pending) {
      // The client gave up by its own Timer F: a 408 would be of no use (RFC 4320 §4.2).
      machinery.timeout(this);
    } else {
      machinery.end(this);
    }
  }
}
