import { parseSdp, type SdpAttribute, type SdpMedia } from '#protocols/sdp';
import type { SipMessage } from '#protocols/sip';

const TYPING = 'application/im-iscomposing+xml';
const SESSION = 'application/sdp';
/** Clients of the original write typing as INFO of this type, which alone says nothing. */
const ANY_XML = 'application/xml';

/** Text, that somebody is typing (RFC 3994), and that a message was read (RFC 5438). */
const MESSAGES = [...['text/plain', 'text/html', TYPING], ...['message/imdn+xml', 'application/ms-imdn+xml']];
/** Documents about whether somebody is there, about who asks, and what is asked for. */
const PRESENCE = [
  ...['application/pidf+xml', 'application/pidf-diff+xml', 'application/cpim-pidf+xml'],
  ...['application/xpidf+xml', 'application/watcherinfo+xml', 'application/simple-filter+xml'],
  ...['text/xml+msrtc.pidf', 'application/msrtc-event-categories+xml'],
];

/** What a body may be, by method. Of a method that is not here it may be nothing. */
const TYPES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    ...{ INVITE: [SESSION], ACK: [SESSION], PRACK: [SESSION], UPDATE: [SESSION], OPTIONS: [SESSION] },
    ...{ MESSAGE: MESSAGES, INFO: [TYPING, ANY_XML] },
    ...{ SUBSCRIBE: PRESENCE, NOTIFY: PRESENCE, BENOTIFY: PRESENCE },
  }).map(([method, types]) => [method, new Set(types)]),
);
/** What INFO carries within calls: a key was pressed, and the picture is wanted anew (RFC 5168). */
const IN_CALLS: ReadonlySet<string> = new Set([
  ...['application/dtmf-relay', 'application/dtmf', 'application/media_control+xml'],
]);
/** What a body is for (RFC 3261 §20.11, RFC 3959, RFC 5438 §12.1), handing over a file not among it. */
const DISPOSITIONS: ReadonlySet<string> = new Set(['session', 'early-session', 'render', 'notification']);

/**
 * Whether the body of a message to or from a public provider is what may pass there: messages, presence, and the sessions
 * in which messages are exchanged, or calls held where those are allowed. It is what it is known to be: an encoding
 * that would have to be undone, a type that is not listed and parts within parts are refused with everything else.
 *
 * @param method of the request, or of the request that a response answers
 * @param calls whether audio and video may be exchanged
 */
export function isAllowedContent(message: SipMessage, method: string, calls: boolean): boolean {
  if (message.body.length === 0) return true;
  // RFC 3261 §20.12. The other field is none of SIP's; who reads it nevertheless would read something else than we do.
  if (message.values('Content-Encoding').some((coding) => coding.toLowerCase() !== 'identity')) return false;
  if (message.has('Content-Transfer-Encoding')) return false;
  const disposition = message.header('Content-Disposition');
  if (disposition !== undefined && !DISPOSITIONS.has(firstWord(disposition))) return false;
  // RFC 3261 §20.15: whoever sends a body says of what type it is.
  const type = firstWord(message.header('Content-Type') ?? '');
  if (calls && method === 'INFO' && IN_CALLS.has(type)) return true;
  if (TYPES.get(method)?.has(type) !== true) return false;
  if (type === SESSION) return isAllowedSession(message.body, calls);
  return type !== ANY_XML || isKeyboardActivity(message.body);
}

function firstWord(value: string): string {
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** A description that is read as RFC 8866 has it, and that speaks of something; of what can be read otherwise nobody knows. */
function isAllowedSession(body: Uint8Array, calls: boolean): boolean {
  const description = parseSdp(body);
  if (!description.ok) return false;
  const { media, attributes } = description.value;
  return media.length > 0 && !attributes.some(isOfFile) && media.every((one) => isAllowedMedia(one, calls));
}

/** RFC 4975 §8, and `sip` as the original names the way by MESSAGE within the dialog. */
const MESSAGE_PROTOCOLS: ReadonlySet<string> = new Set(['sip', 'tcp/msrp', 'tcp/tls/msrp']);
const RTP = /(^|\/)rtp\/s?avpf?$/;

function isAllowedMedia({ kind, protocol, attributes }: SdpMedia, calls: boolean): boolean {
  const transport = protocol.toLowerCase();
  if (kind === 'message') return MESSAGE_PROTOCOLS.has(transport) && !attributes.some(isOfFile);
  return calls && (kind === 'audio' || kind === 'video') && RTP.test(transport);
}

/** `file-selector`, `file-transfer-id` and their like make of a message session the transfer of a file (RFC 5547 §6). */
function isOfFile({ name }: SdpAttribute): boolean {
  return /^file-/i.test(name);
}

/** `<KeyboardActivity><status status="type"/></KeyboardActivity>`; nothing longer is one. */
const LONGEST_ACTIVITY = 1024;
const KEYBOARD_ACTIVITY =
  /^\s*(<\?xml [^<>]*\?>\s*)?<KeyboardActivity[\s>][\s\S]*<\/KeyboardActivity\s*>\s*$/;

function isKeyboardActivity(body: Buffer): boolean {
  return body.length <= LONGEST_ACTIVITY && KEYBOARD_ACTIVITY.test(body.toString('latin1'));
}
