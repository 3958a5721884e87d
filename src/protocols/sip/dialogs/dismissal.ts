import type { SipResponse } from '../messages/message.ts';
import { formatVia } from '../messages/via.ts';
import { readSent } from '../transactions/hop-requests.ts';
import { Dialog } from './dialog.ts';

/** What ends a call that its caller does not hear of. */
export interface Dismissal {
  /** Belongs to no transaction; sent again whenever the 2xx comes again. */
  readonly ack: Buffer;
  readonly bye: Buffer;
  /** On top of the BYE. */
  readonly byeBranch: string;
}

/** What the caller may have sent in the early dialog counts up its CSeq, which a proxy need not have seen; gaps are legal (RFC 3261 §12.2.1.1). */
const CSEQ_GAP = 1000;
/** RFC 3261 §8.1.1.5. */
const LARGEST_CSEQ = 2 ** 31 - 1;

/**
 * ACK and BYE with which a proxy ends a call that its target accepted, and whose 2xx it does not let to the caller. Without
 * them the target takes it for a call until 64 * T1 have passed (RFC 3261 §13.3.1.4). They are what the caller would have sent
 * (§13.2.2.4, §15.1.1), from this hop on.
 *
 * Undefined within a dialog, which both ends have to hear the end of, for a 2xx that makes none, and where no number is left for
 * a BYE: acknowledged and not ended, it would last.
 *
 * @param sent the INVITE as it left, with our Via on top and what routes the proxies so far have recorded
 * @param carried header fields of the INVITE that both have as well
 */
export function dismissalOf(
  sent: Buffer,
  response: SipResponse,
  carried: readonly string[] = [],
): Dismissal | undefined {
  const invite = readSent(sent);
  const branch = invite?.topVia.branch;
  if (invite === undefined || branch === undefined || invite.to.tag !== undefined) return undefined;
  if (invite.cseq.number >= LARGEST_CSEQ - CSEQ_GAP) return undefined;
  const made = Dialog.asUac(invite, response);
  if (!made.ok) return undefined;
  const { record } = made.value;
  const dialog = Dialog.restore({
    ...record,
    // The way from the caller to here has been gone.
    routeSet: record.routeSet.slice(invite.values('Record-Route').length),
    localCSeq: invite.cseq.number + CSEQ_GAP,
  });
  if (dialog === undefined) return undefined;
  const own = formatVia(invite.topVia);
  const byeBranch = `${branch}.bye.${dialog.remoteTag}`;
  const via = (instead: string) => own.replace(branch, () => instead);
  const headers = carried.flatMap((name) => invite.values(name).map((value) => [name, value] as const));
  const ackVia = via(`${branch}.ack.${dialog.remoteTag}`);
  const { bytes: ack } = dialog.ack(invite.cseq.number, { via: ackVia, headers });
  const { bytes: bye } = dialog.request('BYE', { via: via(byeBranch), headers });
  return { ack, bye, byeBranch };
}
