import type { MessageEdit, SipResponse } from '#protocols/sip';

/** A final response of 3xx and up, or one that stands for a branch that brought none. */
export interface Candidate {
  readonly status: number;
  readonly response: SipResponse | undefined;
}

/** Those of 4xx that tell the client how to do better (RFC 3261 §16.7 step 6). */
const HELPFUL = new Set([401, 407, 415, 420, 484]);
const CHALLENGES = ['WWW-Authenticate', 'Proxy-Authenticate'] as const;
/** What goes upstream when no branch brought anything: there was no target. */
const NO_TARGET: Candidate = { status: 480, response: undefined };

/** RFC 3261 §16.7 step 6: which of the final responses of a fork goes upstream. */
export class BestResponse {
  #best: Candidate | undefined;
  /** Every 401 and 407 received, made only when a second candidate shows that this is a fork. */
  #challenged: SipResponse[] | undefined;

  add(candidate: Candidate): void {
    if (this.#best === undefined) {
      this.#best = candidate;
      return;
    }
    this.#challenged ??= challengesOf(this.#best);
    this.#challenged.push(...challengesOf(candidate));
    if (rank(candidate) < rank(this.#best)) this.#best = candidate;
  }

  choose(): Candidate {
    return this.#best ?? NO_TARGET;
  }

  /** RFC 3261 §16.7 step 7: a 401 or 407 carries the challenges of all the others. */
  addChallenges(edit: MessageEdit, chosen: SipResponse): void {
    if (this.#challenged === undefined || (chosen.status !== 401 && chosen.status !== 407)) return;
    for (const other of this.#challenged) {
      if (other === chosen) continue;
      for (const name of CHALLENGES) {
        for (const value of other.values(name)) edit.append(name, value);
      }
    }
  }
}

function challengesOf({ status, response }: Candidate): SipResponse[] {
  return response !== undefined && (status === 401 || status === 407) ? [response] : [];
}

/** Lower is better; of equals the first received wins. */
function rank({ status }: Candidate): number {
  if (status >= 600) return 0;
  const statusClass = Math.floor(status / 100);
  const within = HELPFUL.has(status) ? 0 : status === 503 ? 2 : 1;
  return statusClass * 10 + within;
}
