import type { X509Certificate } from 'node:crypto';
import { type Clock, err, type Failure, failure, ok, type Random, type Result, type WallTime } from '#kernel';
import type { Resolver } from '#platform/dns';
import {
  certificateFacts,
  findInList,
  type RevocationList,
  readRevocationList,
  revocationPoints,
  subjectText,
  type VerifiedPeer,
  verifyOcspResponse,
} from '#platform/pki';
import type { Counter, Metrics, Trace } from '#platform/telemetry';
import { type FetchOptions, fetchList } from './list-fetch.ts';
import { ListStore, type ListStoreLimits } from './list-store.ts';
import { VerdictCache } from './verdict-cache.ts';

/** What the document says about revocation. */
export interface RevocationPolicy {
  /** What becomes of a certificate whose state nobody can tell right now. */
  readonly unknown: 'refuse' | 'accept';
  /** A certificate that names no place to ask is accepted if it lives no longer. Days. */
  readonly shortLivedDays: number;
  /** Whether an address may be asked for a list. */
  readonly mayDial: (address: string) => boolean;
  /** The Access addresses; at most one of each family. */
  readonly localAddresses: readonly string[];
  /** Of one list. */
  readonly listBytes: number;
  /** For fetching one list. Milliseconds. */
  readonly fetchMs: number;
  /** Whether lists in use are fetched again before their time ends. */
  readonly keepFresh: boolean;
  /** Verdicts that are kept, at least 1. */
  readonly accepted: number;
  readonly rejected: number;
  /** The part of them that goes when there are too many, above 0 and up to 1. */
  readonly evicted: number;
}

export interface RevocationLimits extends ListStoreLimits {
  /** Longest time that a verdict is kept. Milliseconds. */
  readonly verdictMs: number;
  /** Lists asked for one certificate. */
  readonly points: number;
}

const usualLimits: RevocationLimits = {
  lists: 64,
  entries: 500_000,
  fetches: 16,
  refreshMs: 3_600_000,
  retryMs: 60_000,
  unusedMs: 86_400_000,
  verdictMs: 3_600_000,
  points: 4,
};

export interface RevocationOptions {
  readonly policy: RevocationPolicy;
  readonly resolver: Resolver;
  readonly limits?: Partial<RevocationLimits>;
  readonly ports?: readonly number[];
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** A list was replaced by a newer one: what was confirmed before may be revoked by now. */
  readonly changed?: () => void;
}

/** What is known of one certificate, and until when. */
interface State {
  readonly state: 'good' | 'revoked' | 'no-point' | 'short-lived' | 'unknown';
  readonly until: WallTime;
  readonly detail: string;
}

const DAY = 86_400_000;
const outcomes = ['good', 'revoked', 'no-point', 'short-lived', 'unknown'] as const;

/** Whether certificates whose chain was verified still stand (RFC 5280 §6.3, RFC 6960). */
export class Revocation {
  readonly #options: RevocationOptions;
  readonly #limits: RevocationLimits;
  readonly #lists: ListStore;
  readonly #accepted: VerdictCache<State>;
  readonly #rejected: VerdictCache<State>;
  readonly #judged: Counter<(typeof outcomes)[number]>;
  #policy: RevocationPolicy;
  #generation = 0;

  constructor(options: RevocationOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#limits = { ...usualLimits, ...options.limits };
    const { metrics, clock } = options;
    const { accepted, rejected, evicted } = options.policy;
    this.#accepted = new VerdictCache(accepted, evicted);
    this.#rejected = new VerdictCache(rejected, evicted);
    this.#judged = metrics.counter(
      'sallyport_revocation_checks_total',
      "Checks whether a partner's certificate still stands.",
      { name: 'state', values: outcomes },
    );
    const fetched = metrics.counter('sallyport_revocation_lists_total', 'Revocation lists fetched.', {
      name: 'result',
      values: ['ok', 'failed'],
    });
    this.#lists = new ListStore({
      limits: this.#limits,
      fetch: (url) => fetchList(url, this.#fetchOptions()),
      clock,
      fetched,
      keepFresh: () => this.#policy.keepFresh,
      changed: () => {
        this.#forget();
        options.changed?.();
      },
    });
  }

  /** Another document: everything is judged anew. */
  configure(policy: RevocationPolicy): void {
    this.#policy = policy;
    this.#accepted.configure(policy.accepted, policy.evicted);
    this.#rejected.configure(policy.rejected, policy.evicted);
    this.#forget();
  }
  /** Fetches a list for an operator who wants to know whether that works; nothing of it is kept or believed. */
  async probe(
    url: string,
    trace?: Trace,
  ): Promise<Result<{ readonly bytes: number; readonly revoked: number }>> {
    const fetched = await fetchList(url, this.#fetchOptions(), trace);
    if (!fetched.ok) return fetched;
    const list = readRevocationList(fetched.value, { entries: this.#limits.entries });
    if (!list.ok) return err(failure('SLP-PKI-0006', list.error));
    return ok({ bytes: fetched.value.length, revoked: list.value.revoked.size });
  }

  /** What is kept at the moment. */
  get kept(): { readonly lists: number; readonly accepted: number; readonly rejected: number } {
    return { lists: this.#lists.size, accepted: this.#accepted.size, rejected: this.#rejected.size };
  }
  close(): void {
    this.#lists.close();
  }

  /**
   * Asks for every certificate of the path but the anchor. Call it after the chain was verified, never before: until
   * then the URLs are whatever a stranger wrote. Never rejects.
   * @param staple the OCSP response that came with the handshake, which speaks for the leaf
   */
  async check(peer: VerifiedPeer, staple?: Uint8Array, trace?: Trace): Promise<Result<void>> {
    const end = trace?.begin('revocation');
    const state = await this.#stateOf(peer, staple);
    this.#judged.inc(state.state);
    const verdict = this.#verdict(state, peer);
    end?.(verdict.ok, verdict.ok ? state.detail : verdict.error.message);
    return verdict;
  }

  async #stateOf(peer: VerifiedPeer, staple: Uint8Array | undefined): Promise<State> {
    const { clock } = this.#options;
    const at = { wall: clock.wall(), now: clock.now() };
    const key = peer.path.map(({ fingerprint256 }) => fingerprint256).join(' ');
    const known = this.#rejected.take(key, at) ?? this.#accepted.take(key, at);
    // A certificate that names no place to ask is asked about by nothing but a staple, which not every handshake has.
    const asksAnew = staple !== undefined && known?.state === 'no-point';
    if (known !== undefined && !asksAnew) return known;
    const generation = this.#generation;
    const states = await Promise.all(
      peer.path.slice(0, -1).map((certificate, index) => {
        const issuer = peer.path[index + 1]!;
        return this.#judge(certificate, issuer, index === 0 ? staple : undefined);
      }),
    );
    const state = gravest(states);
    const left = Math.min(state.until - at.wall, this.#limits.verdictMs);
    const until = { wall: at.wall + left, now: at.now + left };
    if (generation !== this.#generation) return state; // a list was replaced meanwhile, perhaps one it rests on
    if (asksAnew) this.#rejected.forget(key);
    // What is unknown is asked for again, and the list that could not be had is remembered by its own.
    if (state.state === 'revoked' || state.state === 'no-point') this.#rejected.keep(key, state, until);
    else if (state.state === 'good' || state.state === 'short-lived') this.#accepted.keep(key, state, until);
    return state;
  }

  async #judge(
    certificate: X509Certificate,
    issuer: X509Certificate,
    staple: Uint8Array | undefined,
  ): Promise<State> {
    const at = this.#options.clock.wall();
    const subject = subjectText(certificate);
    const stapled =
      staple === undefined ? undefined : verifyOcspResponse(staple, { certificate, issuer, at });
    const urls = revocationPoints(certificate).crl.slice(0, this.#limits.points);
    if (stapled?.ok === true) {
      // Its holder chooses which response it staples, and an old one may count for days yet.
      for (const url of urls) {
        const list = this.#lists.known(url, issuer);
        const found = list === undefined ? undefined : this.#inList(list, url, certificate);
        if (found !== undefined && typeof found !== 'string' && found.state === 'revoked') return found;
      }
      return { ...stapled.value, detail: `${subject}: ${stapled.value.state} by the stapled response` };
    }
    const useless = stapled === undefined ? '' : `; the stapled response is of no use (${stapled.error})`;
    if (urls.length === 0) return this.#withoutPoint(certificate, subject, useless);
    const problems: string[] = [];
    for (const url of urls) {
      const state = await this.#byList(url, certificate, issuer);
      if (typeof state !== 'string') return state;
      problems.push(state);
    }
    return { state: 'unknown', until: at, detail: `${subject}: ${problems.join('; ')}${useless}` };
  }

  async #byList(url: string, certificate: X509Certificate, issuer: X509Certificate): Promise<State | string> {
    const list = await this.#lists.list(url, issuer);
    return list.ok ? this.#inList(list.value, url, certificate) : list.error.message;
  }
  #inList(list: RevocationList, url: string, certificate: X509Certificate): State | string {
    const found = findInList(list, certificate, url);
    if (!found.ok) return `${url}: ${found.error}`;
    const until = list.nextUpdate ?? this.#options.clock.wall();
    const detail = `${subjectText(certificate)}: ${found.value} by the list of ${url}`;
    return { state: found.value, until, detail };
  }

  #withoutPoint(certificate: X509Certificate, subject: string, useless: string): State {
    const at = this.#options.clock.wall();
    const facts = certificateFacts(certificate);
    const days = facts.ok ? (facts.value.notAfter - facts.value.notBefore) / DAY : Number.POSITIVE_INFINITY;
    const most = this.#policy.shortLivedDays;
    const lives = `${subject} names no place to ask and is made for ${Math.ceil(days)} days`;
    const state = days <= most ? 'short-lived' : 'no-point';
    const until = facts.ok ? facts.value.notAfter : at;
    return { state, until, detail: `${lives}, ${most} pass${useless}` };
  }

  #verdict({ state, detail }: State, peer: VerifiedPeer): Result<void> {
    if (state === 'good' || state === 'short-lived') return ok(undefined);
    if (state === 'revoked') return err(failure('SLP-PKI-0001', detail));
    if (state === 'no-point') return err(failure('SLP-PKI-0003', detail));
    if (this.#policy.unknown === 'accept') return ok(undefined);
    return err(unknownFailure(detail, peer));
  }

  #forget(): void {
    this.#generation += 1;
    this.#accepted.clear();
    this.#rejected.clear();
  }

  #fetchOptions(): FetchOptions {
    const { resolver, clock, random, ports = [80] } = this.#options;
    const { mayDial, localAddresses, listBytes, fetchMs } = this.#policy;
    return { resolver, clock, random, ports, mayDial, localAddresses, bytes: listBytes, totalMs: fetchMs };
  }
}

function unknownFailure(detail: string, { subject }: VerifiedPeer): Failure {
  return failure('SLP-PKI-0002', detail === '' ? subject : detail);
}

/** A path is as good as the worst of its certificates, and known for as long as the shortest. */
function gravest(states: readonly State[]): State {
  const order: readonly State['state'][] = ['revoked', 'no-point', 'unknown', 'good', 'short-lived'];
  const [worst] = [...states].sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  if (worst === undefined)
    return { state: 'good', until: Number.POSITIVE_INFINITY, detail: 'the certificate is an anchor itself' };
  return { ...worst, until: Math.min(...states.map(({ until }) => until)) };
}
