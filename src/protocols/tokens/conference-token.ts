import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { err, ok, type Result } from '#kernel';

/** What a token lets its holder do: come in once, come back after a drop, fetch files of the meeting. */
export type ConferencePurpose = 'join' | 'resume' | 'content';
export type ConferenceRole = 'presenter' | 'attendee';

export interface ConferenceClaims {
  readonly purpose: ConferencePurpose;
  /** Host name of the service that holds the meeting, lower case, at most 253 characters. */
  readonly node: string;
  /** 16 characters of a-z and 2-7. */
  readonly conference: string;
  /** Number within the conference, 0..2^53-1. */
  readonly participant: number;
  readonly role: ConferenceRole;
  /** 16 bytes in hexadecimal: drawn at random, so that a token is told from every other one. */
  readonly serial: string;
  /** Milliseconds since 1970, 0..2^48-1; the token is good before it. */
  readonly expires: number;
}

/** What a node signs with. */
export interface ConferenceSigningKey {
  readonly secret: KeyObject;
  /** The public half, as it is told to edges: 32 bytes. */
  readonly publicBytes: Buffer;
  /** 0..255, of the public half: only a hint at which key to try. */
  readonly id: number;
}
/** What an edge checks with: it can make no token. */
export interface ConferencePublicKey {
  readonly key: KeyObject;
  readonly id: number;
}

export type ConferenceTokenError =
  | 'malformed'
  /** None of the keys is the one that it names. */
  | 'unknown-key'
  | 'forged'
  /** Of another purpose than was asked for. */
  | 'other-purpose'
  | 'expired';

/** Longest token, in characters. */
export const CONFERENCE_TOKEN_CHARACTERS = 512;
const VERSION = 1;
const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SERIAL_BYTES = 16;
/** Version, key id, purpose, role, expiry (6), participant (8), serial. */
const FIXED_BYTES = 4 + 6 + 8 + SERIAL_BYTES;
const CONFERENCE_CHARACTERS = 16;
const CONFERENCE = /^[a-z2-7]{16}$/;
const NODE = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const SERIAL = /^[0-9a-f]{32}$/;
const UINT48 = 2 ** 48;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const PURPOSES: readonly ConferencePurpose[] = ['join', 'resume', 'content'];
const ROLES: readonly ConferenceRole[] = ['presenter', 'attendee'];
/** Signed in front of everything, so that the key's other signatures, if it ever makes any, are none of tokens. */
const CONTEXT = Buffer.from('sallyport conference token 1\0');
/** RFC 8410 §7 and §4: what stands in front of the 32 bytes of a private and of a public key. */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** @throws RangeError when the secret has not 32 bytes */
export function conferenceSigningKey(seed: Uint8Array): ConferenceSigningKey {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a signing key has ${SEED_BYTES} bytes`);
  const secret = createPrivateKey({
    key: Buffer.concat([PRIVATE_HEAD, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  const publicBytes = spki.subarray(PUBLIC_HEAD.length);
  return { secret, publicBytes, id: keyId(publicBytes) };
}

/** Undefined when these are not the 32 bytes of a public key. */
export function conferencePublicKey(bytes: Uint8Array): ConferencePublicKey | undefined {
  if (bytes.length !== SEED_BYTES) return undefined;
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, bytes]), format: 'der', type: 'spki' });
  return { key, id: keyId(bytes) };
}

function keyId(publicBytes: Uint8Array): number {
  return createHash('sha256').update(publicBytes).digest()[0]!;
}

/**
 * Signs claims (Ed25519, RFC 8032 §5.1). Anyone who sees the token can read them.
 * @throws RangeError when a claim is out of its range
 */
export function sealConferenceToken(key: ConferenceSigningKey, claims: ConferenceClaims): string {
  const payload = encodeClaims(key.id, claims);
  const signature = sign(null, Buffer.concat([CONTEXT, payload]), key.secret);
  return Buffer.concat([payload, signature]).toString('base64url');
}

/**
 * The claims of a token that one of the keys signed for this purpose and that has not expired.
 * @param now of the clock by which its node said when it expires, milliseconds since 1970
 */
export function openConferenceToken(
  keys: readonly ConferencePublicKey[],
  purpose: ConferencePurpose,
  token: string,
  now: number,
): Result<ConferenceClaims, ConferenceTokenError> {
  const read = readToken(token);
  if (read === undefined) return err('malformed');
  const fitting = keys.filter(({ id }) => id === read.keyId);
  if (fitting.length === 0) return err('unknown-key');
  const signed = Buffer.concat([CONTEXT, read.payload]);
  if (!fitting.some(({ key }) => verify(null, signed, key, read.signature))) return err('forged');
  if (read.claims.purpose !== purpose) return err('other-purpose');
  return now < read.claims.expires ? ok(read.claims) : err('expired');
}

/** The node that a token names, nothing of which is verified: it says whose keys to open it with. */
export function nodeOfConferenceToken(token: string): string | undefined {
  return readToken(token)?.claims.node;
}

interface ReadToken {
  readonly keyId: number;
  readonly claims: ConferenceClaims;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

function readToken(token: string): ReadToken | undefined {
  if (token.length > CONFERENCE_TOKEN_CHARACTERS || !BASE64URL.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // One value has one spelling: the unused low bits of the last character must be zero.
  if (bytes.toString('base64url') !== token) return undefined;
  const payload = bytes.subarray(0, Math.max(0, bytes.length - SIGNATURE_BYTES));
  const claims = decodeClaims(payload);
  if (claims === undefined) return undefined;
  return { keyId: payload[1]!, claims, payload, signature: bytes.subarray(payload.length) };
}

function encodeClaims(id: number, claims: ConferenceClaims): Buffer {
  const { purpose, node, conference, participant, role, serial, expires } = claims;
  if (!NODE.test(node) || !CONFERENCE.test(conference) || !SERIAL.test(serial))
    throw new RangeError('node, conference or serial has no place in a token');
  if (!Number.isSafeInteger(participant) || participant < 0)
    throw new RangeError(`${participant} is no participant`);
  if (!Number.isInteger(expires) || expires < 0 || expires >= UINT48)
    throw new RangeError(`${expires} is out of range`);
  const payload = Buffer.alloc(FIXED_BYTES + CONFERENCE_CHARACTERS + node.length);
  payload.set([VERSION, id, PURPOSES.indexOf(purpose), ROLES.indexOf(role)]);
  payload.writeUIntBE(expires, 4, 6);
  payload.writeBigUInt64BE(BigInt(participant), 10);
  payload.write(serial, 18, 'hex');
  payload.write(conference + node, FIXED_BYTES, 'latin1');
  return payload;
}

function decodeClaims(payload: Buffer): ConferenceClaims | undefined {
  if (payload.length <= FIXED_BYTES + CONFERENCE_CHARACTERS || payload[0] !== VERSION) return undefined;
  const purpose = PURPOSES[payload[2]!];
  const role = ROLES[payload[3]!];
  const participant = Number(payload.readBigUInt64BE(10));
  const text = payload.toString('latin1', FIXED_BYTES);
  const conference = text.slice(0, CONFERENCE_CHARACTERS);
  const node = text.slice(CONFERENCE_CHARACTERS);
  if (purpose === undefined || role === undefined || !Number.isSafeInteger(participant)) return undefined;
  if (!CONFERENCE.test(conference) || !NODE.test(node)) return undefined;
  const expires = payload.readUIntBE(4, 6);
  const serial = payload.toString('hex', 18, FIXED_BYTES);
  return { purpose, node, conference, participant, role, serial, expires };
}
