import assert from 'node:assert/strict';
import type { SipMessage } from '#protocols/sip';

interface Entry {
  readonly flow: string;
  arrived: number;
  answered: number;
  status: number;
}

/** Every request of a test, counted where it is sent, where it arrives, and where its answer comes. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #answered = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  /** @param flow what kind of traffic it is, for counting */
  sent(request: SipMessage, flow: string): void {
    const key = keyOf(request);
    assert.ok(!this.#entries.has(key), `sent twice: ${key}`);
    this.#entries.set(key, { flow, arrived: 0, answered: 0, status: 0 });
  }
  /** At its last receiver. */
  arrived(request: SipMessage): void {
    this.#entryOf(request).arrived += 1;
  }
  /** Whether a request of a call has arrived. */
  has(callId: string, method: string): boolean {
    for (const [key, { arrived }] of this.#entries) {
      if (arrived > 0 && key.startsWith(`${callId} `) && key.endsWith(` ${method}`)) return true;
    }
    return false;
  }
  /** Its final answer, at the sender. */
  answered(response: SipMessage & { readonly status: number }): void {
    const entry = this.#entryOf(response);
    entry.answered += 1;
    entry.status = response.status;
    this.#answered.set(entry.flow, this.answers(entry.flow) + 1);
    for (const look of [...this.#waiting]) look();
  }
  answers(flow: string): number {
    return this.#answered.get(flow) ?? 0;
  }

  /** Until so many more answers have come in each of these kinds of traffic. */
  moves(flows: readonly string[], more: number): Promise<void> {
    const goals = flows.map((flow) => this.answers(flow) + more);
    return new Promise((resolve) => {
      const look = (): void => {
        if (flows.some((flow, index) => this.answers(flow) < (goals[index] ?? 0))) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /**
   * Each request arrived once and had one answer, 200; in flows that may be `refused` another final answer will do, and then
   * it may have arrived or not. A request without an answer (ACK) only has to arrive, like those in flows that are `unanswered`.
   */
  balances(refused: ReadonlySet<string> = new Set(), unanswered: ReadonlySet<string> = new Set()): void {
    const wrong: string[] = [];
    for (const [key, { flow, arrived, answered, status }] of this.#entries) {
      const mute = key.endsWith(' ACK') || (unanswered.has(flow) && answered === 0);
      const whole = arrived === 1 && (mute || (answered === 1 && status === 200));
      const told = refused.has(flow) && arrived <= 1 && answered === 1 && status >= 400;
      if (!whole && !told) wrong.push(`${flow}: ${key}: arrived ${arrived}, answered ${answered}, ${status}`);
    }
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${this.#entries.size}`);
  }

  #entryOf(message: SipMessage): Entry {
    return this.#entries.get(keyOf(message)) ?? assert.fail(`nobody sent ${keyOf(message)}`);
  }
}

function keyOf(message: SipMessage): string {
  return `${message.callId} ${message.cseq.number} ${message.cseq.method}`;
}
