import { createHash } from 'node:crypto';
import { BoundedMap, type Monotonic, TokenBucket } from '#kernel';
import type { Discovery } from './settings.ts';

/** Discovered partners that are remembered; of those without a limit the one that was silent longest makes room. */
const MOST_PARTNERS = 1000;
/** Outcomes by which a partner is judged, and the fewest that say anything. */
const OUTCOMES = 100;
const FEWEST_OUTCOMES = 20;
/** More failures than this share make suspicious, fewer than that share lift it. */
const SUSPICIOUS_SHARE = 0.5;
const INNOCENT_SHARE = 0.25;

/** A partner that sent too much keeps that mark for so long after the last time. */
const CALM_MS = 60_000;

const RAISED = 'the document allows more now';

export type PolicingRefusal = 'partner-rate' | 'partner-users' | 'partner-suspicious';

/** A partner came to be, or ceased to be, limited; the numbers say why, `lifted` what will end it, or what has ended it. */
export interface PolicingChange {
  readonly domain: string;
  readonly rule: PolicingRefusal;
  readonly state: 'begun' | 'ended';
  readonly numbers: Readonly<Record<string, number>>;
  readonly lifted: string;
}

interface Watched {
  bucket: TokenBucket;
  readonly users: BoundedMap<string, true>;
  /** True for a failure; the oldest is overwritten. */
  readonly outcomes: boolean[];
  next: number;
  failures: number;
  suspicious: boolean;
  limited: Set<PolicingRefusal>;
  requests: number;
  /** When a request was last too much. */
  refused: Monotonic;
}

/**
 * How much a partner may do that is on no list: so many requests a second, so many different users of ours (whoever asks
 * for more is looking for names), and next to nothing once most of what it sends fails. Listing its domain lifts all.
 */
export class Policing {
  readonly #partners = new Map<string, Watched>();
  readonly #tell: (change: PolicingChange) => void;
  #limits: Discovery;

  constructor(limits: Discovery, tell: (change: PolicingChange) => void) {
    this.#limits = limits;
    this.#tell = tell;
  }

  /**
   * Other limits from now on; what is known of those who are still discovered partners stays.
   * @param standing what a domain is by the new document when it is no discovered partner any more, for people
   */
  configure(limits: Discovery, standing: (domain: string) => string | undefined, now: Monotonic): void {
    const before = this.#limits;
    this.#limits = limits;
    for (const [domain, watched] of [...this.#partners]) {
      const other = standing(domain);
      if (other !== undefined) {
        this.#forget(domain, watched, `${domain} is ${other} by the document now`);
        continue;
      }
      const { burst } = watched.bucket;
      if (burst !== this.#rate(watched.suspicious)) watched.bucket = this.#bucket(watched.suspicious, now);
      if (limits.messagesPerSecond > before.messagesPerSecond)
        this.#end(domain, watched, 'partner-rate', RAISED);
      if (!this.#isFull(watched)) this.#end(domain, watched, 'partner-users', RAISED);
    }
  }

  /** Ends what only time ends; called every so often. */
  review(now: Monotonic): void {
    for (const [domain, watched] of this.#partners) this.#calm(domain, watched, now);
  }

  /**
   * One request of this partner; a reason when it has to wait or is too much.
   * @param user the user of ours that it names, in a form that compares; undefined when it names nobody new
   */
  admit(domain: string, user: string | undefined, now: Monotonic): PolicingRefusal | undefined {
    const watched = this.#watch(domain, now);
    watched.requests += 1;
    const rate: PolicingRefusal = watched.suspicious ? 'partner-suspicious' : 'partner-rate';
    if (!watched.bucket.take(now)) {
      watched.refused = now;
      if (rate === 'partner-rate') this.#begin(domain, watched, rate);
      return rate;
    }
    this.#calm(domain, watched, now);
    if (user === undefined || !this.#limits.limitUsers) return undefined;
    const key = keyOf(user);
    if (watched.users.has(key)) return undefined;
    if (this.#isFull(watched) || !watched.users.set(key, true)) {
      this.#begin(domain, watched, 'partner-users');
      return 'partner-users';
    }
    return undefined;
  }

  /** The final response to one of its requests. */
  settled(domain: string, status: number, now: Monotonic): void {
    const watched = this.#partners.get(domain);
    // Busy, declined and the like are answers of people; a challenge is none of either.
    if (watched === undefined || status === 401 || status === 407 || status >= 600) return;
    const failed = status >= 400 && ![480, 486, 487, 488].includes(status);
    if (watched.outcomes.length === OUTCOMES && watched.outcomes[watched.next] === true)
      watched.failures -= 1;
    watched.outcomes[watched.next] = failed;
    watched.next = (watched.next + 1) % OUTCOMES;
    if (failed) watched.failures += 1;
    this.#judge(domain, watched, now);
  }

  /** Each discovered partner with its numbers, the last heard of at the end. */
  report(): { domain: string; requests: number; users: number; failures: number; limited: string[] }[] {
    return [...this.#partners].map(([domain, { requests, users, failures, limited }]) => {
      return { domain, requests, users: users.size, failures, limited: [...limited] };
    });
  }

  #watch(domain: string, now: Monotonic): Watched {
    const known = this.#partners.get(domain);
    if (known !== undefined) {
      this.#partners.delete(domain);
      this.#partners.set(domain, known);
      return known;
    }
    if (this.#partners.size >= MOST_PARTNERS) this.#makeRoom();
    const watched: Watched = {
      bucket: this.#bucket(false, now),
      users: new BoundedMap(100_000),
      outcomes: [],
      next: 0,
      failures: 0,
      suspicious: false,
      limited: new Set(),
      requests: 0,
      refused: Number.NEGATIVE_INFINITY,
    };
    this.#partners.set(domain, watched);
    return watched;
  }

  /** Whoever is limited is forgotten last: other domains, of which one has as many as one likes, are no way out. */
  #makeRoom(): void {
    const all = [...this.#partners];
    const oldest = all.find(([, { limited }]) => limited.size === 0) ?? all[0];
    if (oldest !== undefined)
      this.#forget(...oldest, 'silent longest of all, it is forgotten for another one');
  }

  #forget(domain: string, watched: Watched, why: string): void {
    this.#partners.delete(domain);
    for (const rule of [...watched.limited]) this.#end(domain, watched, rule, why);
  }

  #rate(suspicious: boolean): number {
    const { messagesPerSecond, suspiciousMessagesPerSecond } = this.#limits;
    return suspicious ? suspiciousMessagesPerSecond : messagesPerSecond;
  }
  #bucket(suspicious: boolean, now: Monotonic): TokenBucket {
    const rate = this.#rate(suspicious);
    return new TokenBucket(rate, rate, now);
  }
  #isFull({ users }: Watched): boolean {
    return this.#limits.limitUsers && users.size >= this.#limits.users;
  }
  #calm(domain: string, watched: Watched, now: Monotonic): void {
    if (now - watched.refused <= CALM_MS) return;
    this.#end(domain, watched, 'partner-rate', `no request too much in ${CALM_MS / 1000} seconds`);
  }

  #judge(domain: string, watched: Watched, now: Monotonic): void {
    const share = watched.failures / watched.outcomes.length;
    if (watched.outcomes.length < FEWEST_OUTCOMES) return;
    if (!watched.suspicious && share > SUSPICIOUS_SHARE) {
      watched.suspicious = true;
      watched.bucket = this.#bucket(true, now);
      this.#begin(domain, watched, 'partner-suspicious');
    } else if (watched.suspicious && share < INNOCENT_SHARE) {
      watched.suspicious = false;
      watched.bucket = this.#bucket(false, now);
      this.#end(domain, watched, 'partner-suspicious', 'most requests succeed again');
    }
  }

  #begin(domain: string, watched: Watched, rule: PolicingRefusal): void {
    if (watched.limited.has(rule)) return;
    watched.limited.add(rule);
    const limits = this.#limits;
    const more: Readonly<Record<PolicingRefusal, string>> = {
      'partner-rate': `fewer than ${limits.messagesPerSecond} requests a second for ${CALM_MS / 1000} seconds`,
      'partner-users': `a policy.federation.discovery.users above ${limits.users}`,
      'partner-suspicious': 'requests most of which succeed',
    };
    const lifted = `an entry for ${domain} in policy.federation.allowed; else ${more[rule]}`;
    this.#say(domain, watched, { rule, state: 'begun', lifted });
  }
  #end(domain: string, watched: Watched, rule: PolicingRefusal, lifted: string): void {
    if (watched.limited.delete(rule)) this.#say(domain, watched, { rule, state: 'ended', lifted });
  }

  #say(
    domain: string,
    { requests, users, failures, outcomes }: Watched,
    change: Pick<PolicingChange, 'rule' | 'state' | 'lifted'>,
  ): void {
    const { messagesPerSecond, suspiciousMessagesPerSecond, users: most } = this.#limits;
    const limit = {
      ...{ 'partner-rate': messagesPerSecond, 'partner-users': most },
      'partner-suspicious': suspiciousMessagesPerSecond,
    }[change.rule];
    const numbers = { requests, users: users.size, failures, outcomes: outcomes.length, limit };
    this.#tell({ domain, ...change, numbers });
  }
}

/** A name may be as long as a message may, and a thousand of each of a thousand partners are remembered. */
const LONGEST_NAME = 64;

function keyOf(user: string): string {
  return user.length <= LONGEST_NAME ? user : createHash('sha256').update(user).digest('base64');
}
