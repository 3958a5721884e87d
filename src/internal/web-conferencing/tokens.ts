import { err, type Random, type Result, type WallTime } from '#kernel';
import {
  type ConferenceClaims,
  type ConferencePurpose,
  type ConferenceSigningKey,
  type ConferenceTokenError,
  conferencePublicKey,
  openConferenceToken,
  sealConferenceToken,
} from '#protocols/tokens';
import type { Participant } from './meeting/participant.ts';

const SERIAL_BYTES = 16;
/** How long one has to join with what the INVITE's answer held. */
export const JOIN_SECONDS = 60;
/** Whether a participant is still in is asked when the others are shown, so that they need no end of their own. */
const LASTING_MS = 400 * 24 * 3_600_000;

/** With what tokens are made and opened; another key may come at any time. */
export interface TokenKeys {
  readonly current: ConferenceSigningKey;
  /** Every key whose tokens count, the current one too. */
  readonly all: readonly ConferenceSigningKey[];
}

/** Makes and opens the tokens of this node. */
export class Tokens {
  readonly #keys: TokenKeys;
  readonly #node: string;
  readonly #random: Random;

  constructor(keys: TokenKeys, node: string, random: Random) {
    this.#keys = keys;
    this.#node = node;
    this.#random = random;
  }
  /** The key that signs now; another object when it is another key. */
  get signing(): ConferenceSigningKey {
    return this.#keys.current;
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
    const keys = this.#keys.all
      .map(({ publicBytes }) => conferencePublicKey(publicBytes))
      .filter((key) => key !== undefined);
    const opened = openConferenceToken(keys, purpose, token, now);
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
    return sealConferenceToken(this.#keys.current, claims);
  }
}

/** The generation that the serial of a resume token stands for. */
export function generationOf({ serial }: ConferenceClaims): number {
  return Number.parseInt(serial.slice(-12), 16);
}
