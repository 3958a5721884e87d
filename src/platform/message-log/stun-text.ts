import { eventEndpoint } from '#platform/telemetry';
import { accountOf } from '#protocols/credentials';
import type { EventField, EventKeys } from '#protocols/log-query';
import {
  AttributeType,
  decodeErrorCode,
  decodeLifetime,
  decodeMappedAddress,
  decodeMs,
  decodeMsAddress,
  decodeMsErrorCode,
  decodeMsNumber,
  decodeMsXorAddress,
  decodeStun,
  decodeXorAddress,
  HEADER_BYTES,
  MessageClass,
  Method,
  MsAttributeType,
  type MsMessage,
  MsMessageType,
  type StunMessage,
} from '#protocols/stun';
import { TAKEN_OUT } from './taken-out.ts';
import { traceOf } from './trace-id.ts';

export interface MessageText {
  readonly text: string;
  readonly fields: Readonly<Record<string, EventField>>;
  readonly keys: EventKeys;
}

const METHODS = new Map<number, string>(Object.entries(Method).map(([name, value]) => [value, name]));
const MS_TYPES = new Map<number, string>(Object.entries(MsMessageType).map(([name, value]) => [value, name]));
const CLASSES = new Map<number, string>(
  Object.entries(MessageClass).map(([name, value]) => [value, name.toLowerCase()]),
);
const ATTRIBUTES = new Map<number, string>(
  Object.entries(AttributeType).map(([name, value]) => [value, name]),
);
const MS_ATTRIBUTES = new Map<number, string>(
  Object.entries(MsAttributeType).map(([name, value]) => [value, name]),
);
/** Proofs, and what lets somebody else go on in their name. */
const SECRET: ReadonlySet<string> = new Set([
  'MessageIntegrity',
  'MessageIntegritySha256',
  'Nonce',
  'AccessToken',
  'ReservationToken',
  'MobilityTicket',
  'Userhash',
  'MsSequenceNumber',
]);
const MOST_ATTRIBUTES = 32;

/** A STUN or TURN message attribute by attribute (RFC 8489 §14, RFC 8656 §18), proofs and data left out. */
export function stunText(bytes: Uint8Array): MessageText | undefined {
  const decoded = decodeStun(bytes);
  if (!decoded.ok) return undefined;
  const message = decoded.value;
  const method = METHODS.get(message.method) ?? `method ${message.method}`;
  const kind = CLASSES.get(message.messageClass) ?? '';
  const error = decodeErrorCode(message);
  const lines: string[] = [];
  for (let at = HEADER_BYTES; at < message.end && lines.length < MOST_ATTRIBUTES; at = message.next(at)) {
    lines.push(stunAttribute(message, at));
  }
  if (message.hasIntegrity) lines.push(`MessageIntegrity: ${TAKEN_OUT}`);
  const head = `${method} ${kind}, transaction ${Buffer.from(message.transactionId).toString('hex')}`;
  const status = error.ok ? { status: error.value.code } : {};
  return {
    text: [head, ...lines].join('\n'),
    fields: { method, class: kind, ...status },
    keys: keysOf(message.value(AttributeType.Username)),
  };
}

function stunAttribute(message: StunMessage, at: number): string {
  const type = message.typeAt(at);
  const name = ATTRIBUTES.get(type) ?? `attribute 0x${type.toString(16).padStart(4, '0')}`;
  return `${name}: ${stunValue(message, at, name)}`;
}

function stunValue(message: StunMessage, at: number, name: string): string {
  if (SECRET.has(name)) return TAKEN_OUT;
  if (name === 'Username') return usernameText(message.valueAt(at));
  if (name.startsWith('Xor')) {
    const address = decodeXorAddress(message, message.typeAt(at));
    if (address.ok) return eventEndpoint(address.value);
  }
  if (name === 'MappedAddress' || name === 'AlternateServer') {
    const address = decodeMappedAddress(message, message.typeAt(at));
    if (address.ok) return eventEndpoint(address.value);
  }
  if (name === 'Lifetime') {
    const lifetime = decodeLifetime(message);
    if (lifetime.ok) return `${lifetime.value} s`;
  }
  if (name === 'ErrorCode') {
    const error = decodeErrorCode(message);
    if (error.ok) return `${error.value.code} ${error.value.reason}`.trim();
  }
  if (name === 'Realm' || name === 'Software') return Buffer.from(message.valueAt(at)).toString('utf8');
  return plainValue(message.valueAt(at));
}

/** The same for the Microsoft dialect ([MS-TURN] §2.2.2). */
export function msTurnText(bytes: Uint8Array): MessageText | undefined {
  const decoded = decodeMs(bytes);
  if (!decoded.ok) return undefined;
  const message = decoded.value;
  const method = MS_TYPES.get(message.type) ?? `type 0x${message.type.toString(16)}`;
  const error = decodeMsErrorCode(message);
  const lines: string[] = [];
  for (let at = HEADER_BYTES; at < message.end && lines.length < MOST_ATTRIBUTES; at = message.next(at)) {
    lines.push(msAttribute(message, at));
  }
  if (message.hasIntegrity) lines.push(`MessageIntegrity: ${TAKEN_OUT}`);
  const head = `${method}, transaction ${Buffer.from(message.transactionId).toString('hex')}`;
  return {
    text: [head, ...lines].join('\n'),
    fields: { method, ...(error.ok ? { status: error.value } : {}) },
    keys: keysOf(message.value(MsAttributeType.Username)),
  };
}

function msAttribute(message: MsMessage, at: number): string {
  const type = message.typeAt(at);
  const name = MS_ATTRIBUTES.get(type) ?? `attribute 0x${type.toString(16).padStart(4, '0')}`;
  return `${name}: ${msValue(message, type, name)}`;
}
function msValue(message: MsMessage, type: number, name: string): string {
  const value = message.value(type) ?? new Uint8Array(0);
  if (SECRET.has(name) || name === 'Data') return name === 'Data' ? `[${value.length} octets]` : TAKEN_OUT;
  if (name === 'Username') return usernameText(value);
  if (name === 'Realm') return Buffer.from(value).toString('utf8');
  const number = decodeMsNumber(message, type);
  if ((name === 'Lifetime' || name === 'Bandwidth') && number.ok) return String(number.value);
  const address = name === 'XorMappedAddress' ? decodeMsXorAddress(message) : decodeMsAddress(message, type);
  if (address.ok && /Address|Server/.test(name)) return eventEndpoint(address.value);
  return plainValue(value);
}

/** The name of a token is long and says nothing to people; the trace says whose it is. */
function usernameText(username: Uint8Array): string {
  const account = accountOf(username);
  if (account === undefined) return '[an account of the document]';
  return `${account.slice(0, account.indexOf(':'))} credential of ${traceOf(account)}`;
}
function keysOf(username: Uint8Array | undefined): EventKeys {
  const account = username === undefined ? undefined : accountOf(username);
  return account === undefined ? {} : { trace: [traceOf(account)] };
}
function plainValue(value: Uint8Array): string {
  return value.length <= 8 ? Buffer.from(value).toString('hex') : `[${value.length} octets]`;
}
