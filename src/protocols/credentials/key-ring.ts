import { createHash } from 'node:crypto';
import { err, type Failure, failure, ok, type Result, type WallTime } from '#kernel';
import { type MediaKey, mediaKeyText, parseMediaKey } from './media-key.ts';

/** Keys of one file: more than a few rolls within the life of one token are a mistake. */
export const KEYS_OF_A_RING = 12;
const FINGERPRINT_CHARACTERS = 16;

/** One key of a ring. */
export interface RingKey {
  readonly key: MediaKey;
  /** Tokens are made with it from then on, until the next key's turn. -Infinity: since ever. */
  readonly from: WallTime;
  /** Tells keys apart without telling them: hexadecimal, the same wherever the key is. */
  readonly fingerprint: string;
  /** Its line, without the line end. */
  readonly line: string;
}

/**
 * The keys of one media key file in the order of their turns. A line is base64 of 32 bytes, and after the first
 * line's also " from " and a UTC time. A key is honoured as soon as it stands in the file, used when its turn comes,
 * and honoured after the next one's turn until the last token made with it has ended: so a file that is copied to
 * every edge of a pool before that turn rolls the key of the whole pool, by the clock and without a reload.
 */
export class MediaKeyRing {
  readonly keys: readonly [RingKey, ...RingKey[]];

  constructor(keys: readonly [RingKey, ...RingKey[]]) {
    this.keys = keys;
  }

  /** The key with which tokens are made at `wall`. */
  current(wall: WallTime): RingKey {
    return this.keys.findLast((key) => key.from <= wall) ?? this.keys[0];
  }

  /** From when the key is worth nothing: the end of the last token that could be made with it. */
  ends(key: RingKey, lifetimeMinutes: number): WallTime {
    const next = this.keys[this.keys.indexOf(key) + 1];
    return next === undefined ? Number.POSITIVE_INFINITY : next.from + lifetimeMinutes * 60_000;
  }

  /** The text of the file with one key more, whose turn comes at `from`, and without those that ended by `wall`. */
  rolled(
    material: Uint8Array,
    from: WallTime,
    wall: WallTime,
    lifetimeMinutes: number,
  ): Result<string, Failure> {
    const kept = this.keys.filter((key) => this.ends(key, lifetimeMinutes) > wall);
    const last = this.keys.at(-1)?.from ?? Number.NEGATIVE_INFINITY;
    if (from <= last) {
      const turn = new Date(last).toISOString();
      return err(failure('SLP-AV-0402', `the newest key's own turn comes only at ${turn}`));
    }
    if (kept.length >= KEYS_OF_A_RING) {
      return err(failure('SLP-AV-0402', `${kept.length} keys are still in use`));
    }
    const lines = [...kept.map(({ line }) => line), `${mediaKeyText(material).trim()} from ${stamp(from)}`];
    return ok(`${lines.join('\n')}\n`);
  }
}

/** To the second, upwards: never earlier than asked. */
function stamp(wall: WallTime): string {
  return new Date(Math.ceil(wall / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** Reads a media key file: one key, or several with the times of their turns, ascending. */
export function parseMediaKeyRing(file: Uint8Array): Result<MediaKeyRing, Failure> {
  const text = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, 8_192)).toString('latin1');
  const keys: RingKey[] = [];
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return err(failure('SLP-AV-0201', 'it is empty'));
  if (lines.length > KEYS_OF_A_RING) return err(failure('SLP-AV-0201', `it has ${lines.length} keys`));
  for (const line of lines) {
    const read = readLine(line);
    if (!read.ok) return read;
    if (read.value.from <= (keys.at(-1)?.from ?? Number.NEGATIVE_INFINITY) && keys.length > 0) {
      return err(failure('SLP-AV-0201', 'the turns of its keys do not ascend'));
    }
    keys.push(read.value);
  }
  const [first, ...rest] = keys;
  return first === undefined
    ? err(failure('SLP-AV-0201', 'it is empty'))
    : ok(new MediaKeyRing([first, ...rest]));
}

function readLine(line: string): Result<RingKey, Failure> {
  const parts = /^(\S+)(?: from (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?$/.exec(line);
  if (parts === null) return err(failure('SLP-AV-0201', 'a line is neither a key nor a key with its turn'));
  const text = Buffer.from(parts[1] ?? '', 'latin1');
  const key = parseMediaKey(text);
  if (!key.ok) return key;
  const from = parts[2] === undefined ? Number.NEGATIVE_INFINITY : Date.parse(parts[2]);
  if (Number.isNaN(from)) return err(failure('SLP-AV-0201', 'the turn of a key is no time'));
  const fingerprint = createHash('sha256')
    .update('sallyport media key fingerprint')
    .update(key.value.identity)
    .digest('hex')
    .slice(0, FINGERPRINT_CHARACTERS);
  return ok({ key: key.value, from, fingerprint, line });
}
