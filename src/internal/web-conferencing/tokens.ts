import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, failure, ok, type Random, type Result, type WallTime } from '#kernel';
import { createDurably } from '#platform/store';
import {
  type ConferenceClaims,
  type ConferencePurpose,
  type ConferenceSigningKey,
  type ConferenceTokenError,
  conferencePublicKey,
  conferenceSigningKey,
  openConferenceToken,
  sealConferenceToken,
} from '#protocols/tokens';
import type { Participant } from './meeting/participant.ts';

const SEED_BYTES = 32;
const SERIAL_BYTES = 16;
/** How long one has to join with what the INVITE's answer held. */
export const JOIN_SECONDS = 60;
/** Whether a participant is still in is asked when the others are shown, so that they need no end of their own. */
const LASTING_MS = 400 * 24 * 3_600_000;

/** Makes and opens the tokens of this node. */
export class Tokens {
  readonly #key: ConferenceSigningKey;
  readonly #node: string;
  readonly #random: Random;

  constructor(key: ConferenceSigningKey, node: string, random: Random) {
    this.#key = key;
    this.#node = node;
    this.#random = random;
  }
  /** What edges check its tokens with. */
  get publicBytes(): Buffer {
    return this.#key.publicBytes;
  }

  join(conference: string, participant: Participant, now: WallTime): string {
    const serial = Buffer.from(this.#random.bytes(SERIAL_BYTES)).toString('hex');
    return this.#seal('join', conference, participant, serial, now + JOIN_SECONDS * 1000);
  }
  /** @param generation of the participant's tokens; the newest one is good */
  resume(conference: string, participant: Participant, generation: number, now: WallTime): string {
    const serial = generation.toString(16).padStart(SERIAL_BYTES * 2, '0');
    return this.#seal('resume', conference, participant, serial, now + LASTING_MS);
  }
  content(conference: string, participant: Participant, now: WallTime): string {
    const serial = Buffer.from(this.#random.bytes(SERIAL_BYTES)).toString('hex');
    return this.#seal('content', conference, participant, serial, now + LASTING_MS);
  }
  open(
    purpose: ConferencePurpose,
    token: string,
    now: WallTime,
  ): Result<ConferenceClaims, ConferenceTokenError> {
    const key = conferencePublicKey(this.#key.publicBytes);
    const opened = openConferenceToken(key === undefined ? [] : [key], purpose, token, now);
    return opened.ok && opened.value.node !== this.#node ? err('forged') : opened;
  }

  #seal(
    purpose: ConferencePurpose,
    conference: string,
    { number, role }: Participant,
    serial: string,
    expires: WallTime,
  ): string {
    const claims = { purpose, node: this.#node, conference, participant: number, role, serial, expires };
    return sealConferenceToken(this.#key, claims);
  }
}

/** The generation that the serial of a resume token stands for. */
export function generationOf({ serial }: ConferenceClaims): number {
  return Number.parseInt(serial.slice(-12), 16);
}

/** The node's signing key, which outlives it: in a file for its owner alone, made when it is not there. */
export function loadSigningKey(file: string): Result<ConferenceSigningKey> {
  try {
    createDurably(file, randomBytes(SEED_BYTES).toString('hex'));
    const seed = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
    if (seed.length === SEED_BYTES) return ok(conferenceSigningKey(seed));
    return err(failure('SLP-WEB-0051', `${file}: not ${SEED_BYTES} bytes in hexadecimal`));
  } catch (problem) {
    return err(failure('SLP-WEB-0051', `${file}: ${(problem as Error).message}`, problem));
  }
}
