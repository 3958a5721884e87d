import { type Dialog, dialogIdOf, type SipRequest } from '#protocols/sip';
import type { Watch } from './watch.ts';

/** Which watch a NOTIFY is of. */
export class WatchDialogs {
  readonly #byDialog = new Map<string, Watch>();
  readonly #byCall = new Map<string, Watch>();

  find(request: SipRequest): Watch | undefined {
    const known = this.#byDialog.get(dialogIdOf(request) ?? '');
    // A NOTIFY may overtake the answer to its SUBSCRIBE (RFC 6665 §4.4.1).
    return known ?? this.#byCall.get(callKey(request.callId, request.to.tag ?? ''));
  }
  /** A SUBSCRIBE goes out that may begin a dialog. */
  expect(watch: Watch, callId: string, fromTag: string): void {
    watch.calling = callKey(callId, fromTag);
    this.#byCall.set(watch.calling, watch);
  }
  join(watch: Watch, dialog: Dialog): void {
    this.part(watch);
    watch.dialog = dialog;
    this.#byDialog.set(dialog.id, watch);
  }
  /** Leaves the dialog, and the request that might begin one. */
  part(watch: Watch): void {
    if (watch.dialog !== undefined) this.#byDialog.delete(watch.dialog.id);
    if (watch.calling !== undefined) this.#byCall.delete(watch.calling);
    watch.dialog = undefined;
    watch.calling = undefined;
  }
}

function callKey(callId: string, tag: string): string {
  return `${callId}\n${tag}`;
}
