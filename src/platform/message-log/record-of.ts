import { RecentMap } from '#kernel';
import { type Capture, type PeerOfMessage, readPeerLabel } from '#platform/telemetry';
import {
  boundRecord,
  type EventField,
  type EventKeys,
  type LogRecord,
  normaliseKey,
} from '#protocols/log-query';
import { parseSipMessage, type SipMessage, sipLimits } from '#protocols/sip';
import { psomText } from './psom-text.ts';
import { sipKeys } from './sip-keys.ts';
import { sipBody, sipHead } from './sip-text.ts';
import { msTurnText, stunText } from './stun-text.ts';
import { xmppText } from './xmpp-text.ts';

/** Whoever kept the message has read it with limits of its own. */
const LIMITS = { ...sipLimits, messageBytes: 1 << 20, headerLineBytes: 65_536, headers: 1024 };
const HEAD_END = '\r\n\r\n';
const LENGTH_LINE = /\r\n(?:content-length|l)\s*:[^\r\n]*/i;

/** What of a captured message may be stored: text without secrets, and the keys by which it is found. */
export function recordOf(capture: Capture, bodies: boolean): LogRecord {
  const { connection, local, remote, address } = peerOf(capture.peer);
  const { time, provider, level, direction, protocol } = capture;
  const { text, body, fields, keys } = contentOf(capture, bodies);
  return boundRecord({
    time,
    component: protocol,
    provider,
    level,
    kind: 'message',
    name: protocol === 'psom' ? 'psom-operation' : `${protocol}-message`,
    flags: ['protocol'],
    text,
    direction,
    connection,
    local,
    remote,
    keys: address.length === 0 ? keys : { ...keys, address },
    ...(body === undefined ? {} : { body }),
    fields,
  });
}

interface KnownPeer extends PeerOfMessage {
  /** Of its other end, as a key; none when it has none. */
  readonly address: readonly string[];
}
/** A connection has many messages, all with its label. */
const peers = new RecentMap<string, KnownPeer>(1024);

function peerOf(label: Uint8Array): KnownPeer {
  const text = Buffer.from(label.buffer, label.byteOffset, label.length).toString('latin1');
  const known = peers.get(text);
  if (known !== undefined) return known;
  const peer = readPeerLabel(label);
  const address = normaliseKey('address', peer.remote);
  const read = { ...peer, address: address === '' ? [] : [address] };
  peers.set(text, read);
  return read;
}

interface Content {
  readonly text: string;
  readonly body?: string | undefined;
  readonly fields: Readonly<Record<string, EventField>>;
  readonly keys: EventKeys;
}

function contentOf({ protocol, direction, bytes, length }: Capture, bodies: boolean): Content {
  switch (protocol) {
    case 'sip':
      return sipContent(bytes, length, bodies);
    case 'stun':
      return stunText(bytes) ?? unread(length);
    case 'ms-turn':
      return msTurnText(bytes) ?? unread(length);
    case 'xmpp':
      return xmppText(bytes, bodies) ?? unread(length);
    case 'psom':
      return psomText(bytes, direction, bodies) ?? unread(length);
  }
}

function sipContent(bytes: Uint8Array, length: number, bodies: boolean): Content {
  const message = sipMessage(bytes);
  if (message === undefined) return unread(length);
  const { note, body } = sipBody(message, bodies);
  const cut = length > bytes.length ? `[the rest of ${length} octets]` : '';
  const { method, number: cseq } = message.cseq;
  const answered = message.kind === 'response' ? { status: message.status, reason: message.reason } : {};
  return {
    text: `${sipHead(message)}${note}${cut}`,
    ...(body === undefined ? {} : { body }),
    fields: { method: message.kind === 'request' ? message.method : method, cseq, ...answered },
    keys: sipKeys(message),
  };
}

/** One whose end was cut off is read without its body. */
function sipMessage(bytes: Uint8Array): SipMessage | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parsed = parseSipMessage(buffer, LIMITS);
  if (parsed.ok) return parsed.value;
  const end = buffer.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = buffer.toString('latin1', 0, end).replace(LENGTH_LINE, '');
  const again = parseSipMessage(Buffer.from(`${head}${HEAD_END}`, 'latin1'), LIMITS);
  return again.ok ? again.value : undefined;
}

/** Not even its beginning may be shown: nobody knows what it holds. */
function unread(length: number): Content {
  return { text: `[${length} octets that could not be read]`, fields: {}, keys: {} };
}
