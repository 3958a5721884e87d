import { hkdfSync } from 'node:crypto';
import type { Cancel, Clock, Monotonic, Random, WallTime } from '#kernel';

/** How long one key seals. A ticket is good for two hours (OpenSSL), so one in twelve outlives its key. Milliseconds. */
const EPOCH_MS = 12 * 3_600_000;
const SECRET_BYTES = 32;
/** What the runtime asks for: name, MAC key and cipher key, 16 octets each. */
const KEY_BYTES = 48;
/** Epochs that are caught up with; a family that was left alone for longer is none any more. */
const MOST_EPOCHS = 1000;
/** How much ahead of our own clock another process may be. */
const AHEAD_MS = 60_000;

/** What processes that honour one another's tickets have in common. Secret: it travels over their private links only. */
export interface TicketFamily {
  /** When it began. Of two families the older one goes on. */
  readonly born: WallTime;
  /** Whole epochs since then. */
  readonly epoch: number;
  /** Of this epoch; base64url. */
  readonly secret: string;
}

/**
 * The key that seals TLS session tickets (RFC 5077 §4, RFC 8446 §4.6.1), in memory only, changed twice a day (RFC 9325 §3.4): each
 * epoch's secret is derived from the one before, which is forgotten, so what was sealed by an older one stays closed
 * whoever reads this memory later. Processes that have exchanged their families derive the same keys and need not speak of it again;
 * all that a difference costs is a full handshake.
 *
 * Only for listeners that ask for no client certificates: a session that is resumed is not verified again.
 */
export class TicketKeys {
  readonly #clock: Clock;
  #family: { born: WallTime; epoch: number; secret: Buffer };
  /** The epoch ends by then, though the clock of the wall be set back. */
  #endsAt: Monotonic;
  #cancel: Cancel | undefined;
  /** There is another key, see {@link key}. Assigned by the owner of the listeners. */
  onChange: () => void = () => {};

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#family = { born: clock.wall(), epoch: 0, secret: Buffer.from(random.bytes(SECRET_BYTES)) };
    this.#endsAt = clock.now() + EPOCH_MS;
    this.#plan();
  }

  /** 48 octets, for `ticketKeys` of a TLS context. */
  get key(): Buffer {
    return derive(this.#family.secret, 'key', KEY_BYTES);
  }
  get family(): TicketFamily {
    const { born, epoch, secret } = this.#family;
    return { born, epoch, secret: secret.toString('base64url') };
  }

  /** Another process has said what it has: its family becomes ours when it is older. */
  handleFamily({ born, epoch, secret: text }: TicketFamily): void {
    const secret = Buffer.from(text, 'base64url');
    const now = this.#clock.wall();
    const age = epochsBetween(born, now);
    const sane = secret.length === SECRET_BYTES && epoch >= 0 && born <= now + AHEAD_MS;
    if (!sane || age - epoch > MOST_EPOCHS || !this.#isOlder(born, secret)) return;
    this.#family = { born, epoch, secret };
    this.#endsAt = this.#clock.now() + leftOfEpoch(born, now);
    this.#advance();
    this.onChange();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #isOlder(born: WallTime, secret: Buffer): boolean {
    const own = this.#family;
    if (born !== own.born) return born < own.born;
    // Born in the same millisecond, or the same family at an earlier or later epoch, which time will bring together.
    return own.epoch === 0 && Buffer.compare(secret, own.secret) < 0;
  }

  /**
   * To the epoch that the clock of the wall shows, which is the same for all processes, or to the next one when this one has lasted
   * its time; never back.
   */
  #advance(): boolean {
    const { born, epoch } = this.#family;
    const [now, wall] = [this.#clock.now(), this.#clock.wall()];
    const lasted = now >= this.#endsAt ? epoch + 1 : epoch;
    const shown = epochsBetween(born, wall);
    const due = Math.min(Math.max(shown, lasted), epoch + MOST_EPOCHS);
    if (due > epoch) this.#endsAt = now + (shown >= lasted ? leftOfEpoch(born, wall) : EPOCH_MS);
    for (let next = epoch; next < due; next++) {
      const after = derive(this.#family.secret, 'next', SECRET_BYTES);
      this.#family.secret.fill(0);
      this.#family = { born, epoch: next + 1, secret: after };
    }
    return due > epoch;
  }

  /** Looks often, since the clock of the wall may be set. */
  #plan(): void {
    this.#cancel = this.#clock.after(60_000, () => {
      if (this.#advance()) this.onChange();
      this.#plan();
    });
  }
}

function epochsBetween(born: WallTime, now: WallTime): number {
  return Math.max(0, Math.floor((now - born) / EPOCH_MS));
}

/** Milliseconds. */
function leftOfEpoch(born: WallTime, now: WallTime): number {
  return EPOCH_MS - (Math.max(0, now - born) % EPOCH_MS);
}

function derive(secret: Buffer, purpose: 'key' | 'next', length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sallyport tls tickets ${purpose}`, length));
}
