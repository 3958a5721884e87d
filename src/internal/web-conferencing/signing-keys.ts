import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, failure, ok, type Result, type WallTime } from '#kernel';
import { createDurably, replaceDurably } from '#platform/store';
import { type ConferenceSigningKey, conferenceSigningKey } from '#protocols/tokens';

const SEED_BYTES = 32;
const SEED = /^[0-9a-f]{64}$/;
const OTHER = /^(?:(next) ([0-9a-f]{64})|(previous) ([0-9a-f]{64}) (\d{1,15}))$/;

/** A key of this node with the seed that it is kept by. */
interface KeptKey {
  readonly seed: string;
  readonly key: ConferenceSigningKey;
}
/** Beside the key that signs there is at most one more. */
type Other =
  | (KeptKey & { readonly state: 'next' })
  /** `since`: the other one has signed since then, milliseconds since 1970. */
  | (KeptKey & { readonly state: 'previous'; readonly since: WallTime });

/**
 * The node's signing keys, which outlive it: in a file for its owner alone, made when it is not there, and replaced as a
 * whole with every step of a roll. First line: the seed of the key that signs. Second line, during a roll: `next SEED`, or
 * `previous SEED SINCE`.
 */
export class SigningKeys {
  readonly #file: string;
  #current: KeptKey;
  #other: Other | undefined;

  private constructor(file: string, current: KeptKey, other: Other | undefined) {
    this.#file = file;
    this.#current = current;
    this.#other = other;
  }

  static load(file: string): Result<SigningKeys> {
    try {
      createDurably(file, `${randomBytes(SEED_BYTES).toString('hex')}\n`);
      const [first = '', second, ...more] = readFileSync(file, 'utf8').trim().split('\n');
      const other = second === undefined ? undefined : readOther(second);
      if (SEED.test(first) && more.length === 0 && (second === undefined || other !== undefined))
        return ok(new SigningKeys(file, kept(first), other));
      return err(
        failure('SLP-WEB-0051', `${file}: no key of ${SEED_BYTES} bytes in hexadecimal, or more than keys`),
      );
    } catch (problem) {
      return err(failure('SLP-WEB-0051', `${file}: ${(problem as Error).message}`, problem));
    }
  }

  get current(): ConferenceSigningKey {
    return this.#current.key;
  }
  /** Every key whose tokens count, the one that signs first. */
  get all(): readonly ConferenceSigningKey[] {
    return this.#other === undefined ? [this.current] : [this.current, this.#other.key];
  }
  get next(): ConferenceSigningKey | undefined {
    return this.#other?.state === 'next' ? this.#other.key : undefined;
  }
  get previous(): { readonly key: ConferenceSigningKey; readonly since: WallTime } | undefined {
    return this.#other?.state === 'previous' ? this.#other : undefined;
  }

  /** A key that signs nothing yet. @throws when the disk does not take it; then there is none, as after a `false` */
  begin(): boolean {
    if (this.#other !== undefined) return false;
    this.#write(this.#current, { ...kept(randomBytes(SEED_BYTES).toString('hex')), state: 'next' });
    return true;
  }
  /** The next key signs from now on, and the one before counts still. @throws when the disk does not take it */
  turn(since: WallTime): void {
    const { key: before, seed } = this.#current;
    if (this.#other?.state !== 'next') return;
    this.#write(this.#other, { key: before, seed, state: 'previous', since });
  }
  /** The key of before counts no more. @throws when the disk does not take it */
  forget(): void {
    if (this.#other?.state === 'previous') this.#write(this.#current, undefined);
  }

  #write(current: KeptKey, other: Other | undefined): void {
    replaceDurably(this.#file, `${current.seed}\n${other === undefined ? '' : `${lineOf(other)}\n`}`);
    this.#current = { seed: current.seed, key: current.key };
    this.#other = other;
  }
}

/** What people compare. */
export function conferenceFingerprint(publicBytes: Uint8Array): string {
  return createHash('sha256').update(publicBytes).digest('hex').slice(0, 16);
}

function kept(seed: string): KeptKey {
  return { seed, key: conferenceSigningKey(Buffer.from(seed, 'hex')) };
}
function readOther(line: string): Other | undefined {
  const [, next, nextSeed = '', previous, previousSeed = '', since] = OTHER.exec(line) ?? [];
  if (next !== undefined) return { ...kept(nextSeed), state: 'next' };
  return previous === undefined
    ? undefined
    : { ...kept(previousSeed), state: 'previous', since: Number(since) };
}
function lineOf(other: Other): string {
  return other.state === 'next' ? `next ${other.seed}` : `previous ${other.seed} ${Math.floor(other.since)}`;
}
