import type { MessageEdit, SipMessage } from '#protocols/sip';
import type { Scene } from './scene.ts';

const FRAGMENT = /^message\/sipfrag\s*(?:;|$)/i;
const STATUS_LINE = /^(SIP\/2\.0 [1-6]\d\d )([^\r\n]*)/;

/**
 * What a NOTIFY tells of the answer to a REFER is a status line (RFC 3515 §2.4.4), and may be the whole head of that answer, with
 * Via, Contact and Record-Route of the inside. Of one that names the inside only the status goes on.
 */
export function hideFragment(edit: MessageEdit, message: SipMessage, { hiding }: Scene): void {
  if (message.body.length === 0 || !FRAGMENT.test(message.header('Content-Type')?.trim() ?? '')) return;
  const text = message.body.toString('latin1');
  if (!hiding.disclosure.mentionsInternal(text)) return;
  const [, status = '', reason = ''] = STATUS_LINE.exec(text) ?? [];
  const said = hiding.disclosure.mentionsInternal(reason) ? '' : reason;
  edit.body(Buffer.from(status === '' ? '' : `${status}${said}\r\n`, 'latin1'));
}
