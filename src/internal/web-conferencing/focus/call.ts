import type { Cancel } from '#kernel';
import type { Dialog } from '#protocols/sip';
import type { Caller } from './caller.ts';

/** The dialog of one participant with a conference. */
export interface Call {
  readonly dialog: Dialog;
  readonly conference: string;
  readonly participant: number;
  readonly caller: Caller;
  /** Ends the wait for the ACK; undefined when it has come. */
  awaiting: Cancel | undefined;
}

/** Calls by dialog, and by participant: each has one. */
export class Calls {
  readonly #byDialog = new Map<string, Call>();
  readonly #byParticipant = new Map<string, Call>();

  get size(): number {
    return this.#byDialog.size;
  }
  ofDialog(id: string): Call | undefined {
    return this.#byDialog.get(id);
  }
  of(conference: string, participant: number): Call | undefined {
    return this.#byParticipant.get(keyOf(conference, participant));
  }
  /** The call takes the place of the participant's former one, which is returned. */
  add(call: Call): Call | undefined {
    const former = this.of(call.conference, call.participant);
    if (former !== undefined) this.remove(former);
    this.#byDialog.set(call.dialog.id, call);
    this.#byParticipant.set(keyOf(call.conference, call.participant), call);
    return former;
  }
  remove(call: Call): void {
    call.awaiting?.();
    call.awaiting = undefined;
    this.#byDialog.delete(call.dialog.id);
    const key = keyOf(call.conference, call.participant);
    if (this.#byParticipant.get(key) === call) this.#byParticipant.delete(key);
  }
  all(): readonly Call[] {
    return [...this.#byDialog.values()];
  }
}

function keyOf(conference: string, participant: number): string {
  return `${conference} ${participant}`;
}
