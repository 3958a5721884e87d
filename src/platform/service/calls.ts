import { BoundedMap, type Cancel, type Clock, err, type Failure, failure, ok, type Result } from '#kernel';
import type { SupervisorEnd } from './channel.ts';
import type { CallAction } from './messages.ts';

interface Pending {
  readonly resolve: (outcome: Result<unknown>) => void;
  readonly cancel: Cancel;
}

/** Calls to one service that wait for their reply: a bounded number, each for a bounded time. */
export class Calls {
  readonly #channel: SupervisorEnd;
  readonly #clock: Clock;
  readonly #pending: BoundedMap<number, Pending>;
  #next = 0;
  #closed = false;

  constructor(channel: SupervisorEnd, clock: Clock, capacity = 256) {
    this.#channel = channel;
    this.#clock = clock;
    this.#pending = new BoundedMap(capacity);
  }
  call(request: CallAction, timeoutMs: number): Promise<Result<unknown>> {
    if (this.#closed) return Promise.resolve(err(gone(request)));
    if (this.#pending.full) {
      return Promise.resolve(err(failure('SLP-SVC-0009', `${request.action}: too many calls are waiting`)));
    }
    const call = this.#next++;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.settle(call, err(failure('SLP-SVC-0009', `${request.action}: no reply within ${timeoutMs} ms`)));
      });
      this.#pending.set(call, { resolve, cancel });
      this.#channel.send({ type: 'call', call, request });
    });
  }
  /** A reply came. One that nobody waits for any more is ignored. */
  settle(call: number, outcome: Result<unknown>): void {
    const pending = this.#pending.get(call);
    if (pending === undefined) return;
    this.#pending.delete(call);
    pending.cancel();
    pending.resolve(outcome);
  }
  /** The service is gone: nobody gets an answer any more. */
  close(): void {
    this.#closed = true;
    const ended: Failure = failure('SLP-SVC-0001', 'it ended before it answered');
    for (const call of [...this.#pending.keys()]) this.settle(call, err(ended));
  }
}

function gone(request: CallAction): Failure {
  return failure('SLP-SVC-0001', `${request.action}: it is not running`);
}

/** For callers that want only whether it went well. */
export function withoutValue(outcome: Result<unknown>): Result<void> {
  return outcome.ok ? ok(undefined) : outcome;
}
