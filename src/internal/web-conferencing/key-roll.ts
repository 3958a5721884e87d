import { type Clock, err, failure, ok, type Result } from '#kernel';
import type { EdgeLinkState } from '#platform/psom-link';
import type { Log } from '#platform/telemetry';
import type { Meetings } from './meetings.ts';
import { conferenceFingerprint, type SigningKeys } from './signing-keys.ts';
import { JOIN_SECONDS } from './tokens.ts';

export interface KeyRollOptions {
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly log: Log;
  readonly meetings: Pick<Meetings, 'renewTokens' | 'settings' | 'tokensToRenew'>;
  readonly links: () => readonly EdgeLinkState[];
  /** Tells all edges which keys there are. */
  readonly announce: () => void;
}

export interface KeysShown {
  /** Fingerprints. */
  readonly signing: string;
  readonly next: string | null;
  readonly previous: string | null;
  /** What the next step waits for, in words. */
  readonly waits: readonly string[];
}

/** Added to the life of a join token before the key of before is forgotten. Milliseconds. */
const MARGIN_MS = 5000;
/**
 * So long, and for the time of grace, it is waited for participants to show that they have new tokens. Whoever reads has them by
 * then, and whoever is away has left: without an end one guest who answers nothing would keep a key that was stolen. Milliseconds.
 */
const LONGEST_MS = 15 * 60_000;

/**
 * Changes the key that signs this node's tokens: every edge that is linked knows the next one before it signs anything, and
 * the one before counts until nobody can hold a token of it that is good for something, unless somebody does not say so for
 * too long. Each step is written down before it has any effect, so that a process that comes after a kill goes on where this
 * one was.
 */
export class KeyRoll {
  readonly #options: KeyRollOptions;
  #complained = '';

  constructor(options: KeyRollOptions) {
    this.#options = options;
  }

  /** Makes the next key; the rest happens by itself. */
  begin(): Result<KeysShown> {
    const { keys, announce } = this.#options;
    try {
      if (!keys.begin()) return err(failure('SLP-WEB-0060', this.show().waits.join('; ')));
    } catch (problem) {
      return err(failure('SLP-WEB-0051', (problem as Error).message, problem));
    }
    announce();
    this.advance();
    return ok(this.show());
  }
  /** To be called about once a second, and when an edge said something. */
  advance(): void {
    try {
      this.#advance();
      this.#complained = '';
    } catch (problem) {
      const { message } = problem as Error;
      if (message !== this.#complained)
        this.#options.log.error('signing key not changed', { problem: message });
      this.#complained = message;
    }
  }
  show(): KeysShown {
    const { current, next, previous } = this.#options.keys;
    const shown = (key: { publicBytes: Uint8Array } | undefined) =>
      key === undefined ? null : conferenceFingerprint(key.publicBytes);
    return {
      signing: conferenceFingerprint(current.publicBytes),
      next: shown(next),
      previous: shown(previous?.key),
      waits: [...this.#edgesToHear(), ...this.#holdersToRenew()],
    };
  }

  #advance(): void {
    const { keys, clock, log, announce, meetings } = this.#options;
    if (keys.next !== undefined && this.#edgesToHear().length === 0) {
      keys.turn(clock.wall());
      announce();
      log.info('another key signs conference tokens', { key: this.show().signing });
    }
    if (keys.previous === undefined) return;
    meetings.renewTokens();
    if (this.#holdersToRenew().length > 0) return;
    keys.forget();
    announce();
    log.info('the signing key of before is forgotten', { notRenewed: meetings.tokensToRenew() });
  }
  /** An edge that has no link hears of all keys before anything else when it has one. */
  #edgesToHear(): string[] {
    const { keys, links } = this.#options;
    const next = keys.next?.publicBytes.toString('base64');
    if (next === undefined) return [];
    return links()
      .filter(({ state, keys: heard }) => state !== undefined && heard?.includes(next) !== true)
      .map(({ edge, keys: heard }) =>
        heard === undefined
          ? `${edge} does not say which keys it knows: upgrade it`
          : `${edge} has not said that it knows the next key`,
      );
  }
  #holdersToRenew(): string[] {
    const { keys, clock, meetings } = this.#options;
    if (keys.previous === undefined) return [];
    const signed = clock.wall() - keys.previous.since;
    const left = JOIN_SECONDS * 1000 + MARGIN_MS - signed;
    const isWaitedFor = signed < LONGEST_MS + meetings.settings.graceMs;
    const holders = isWaitedFor ? meetings.tokensToRenew() : 0;
    return [
      ...(left > 0 ? [`join tokens of the key of before end in ${Math.ceil(left / 1000)} s`] : []),
      ...(holders > 0 ? [`${holders} participants may hold tokens of the key of before`] : []),
    ];
  }
}
