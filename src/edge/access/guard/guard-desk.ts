import type { Clock, Monotonic } from '#kernel';
import { parseSource, sourceKey, sourceText } from '#platform/net';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import type { SipRequest, SipResponse } from '#protocols/sip';
import type { ClientConnection } from '../clients/client-connection.ts';
import { type Refusal, refuse } from '../policy/refusal.ts';
import type { AccessSettings } from '../settings.ts';
import { AUTHORIZATION, type Claim, claimOf, identityText, PROXY_AUTHORIZATION } from './attempt.ts';
import {
  type GuardNews,
  type GuardOffices,
  type GuardQuestion,
  type GuardVerdict,
  LONGEST_WAIT_MS,
} from './guard-office.ts';
import { outcomeOf, type SignInOutcome } from './outcome.ts';
import { LeastRecent } from './recent.ts';
import { type Attempt, type Block, type GuardLimits, SignInGuard, type Transition } from './sign-in-guard.ts';
import { SignInLine } from './sign-in-line.ts';

export interface GuardDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventStream;
  readonly metrics: Metrics;
  readonly settings: AccessSettings;
  /** Where the other workers count; absent: there are none. */
  readonly offices?: GuardOffices | undefined;
}

/** A request that may go on, after a while; `settle` is told what became of it, undefined when nobody answered. */
export interface Admission {
  readonly kind: 'admitted';
  readonly delayMs: number;
  settle(response: SipResponse | undefined): void;
}

/** Above what a perimeter of this size meets in ten minutes; beyond it the oldest failures are forgotten. */
const ENTRIES = 20_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Seconds; a worker that ended is back by then. */
const AWAY_RETRY_AFTER = '2';
/** A large office behind one address; and all that wait together. */
const WAITING_PER_SOURCE = 1024;
const WAITING = 8192;
const WAITED_RETRY_AFTER = '5';
const FREE: Admission = { kind: 'admitted', delayMs: 0, settle: () => {} };

/** Brute force ends here, before the next hop hears of it: `SignInGuard` with its log lines and events. */
export class GuardDesk {
  readonly #options: GuardDeskOptions;
  readonly #guard: SignInGuard;
  readonly #line: SignInLine;
  /** Attempts that clients of this worker have begun. */
  #attempts = 0;
  /** Sources that another worker refuses, and until when. */
  readonly #refusedElsewhere = new LeastRecent<Monotonic>(ENTRIES);

  constructor(options: GuardDeskOptions) {
    this.#options = options;
    this.#guard = new SignInGuard(limitsOf(options.settings));
    this.#line = new SignInLine({
      clock: options.clock,
      begin: (attempt, now) => this.#guard.begin(attempt, now),
      perSource: WAITING_PER_SOURCE,
      all: WAITING,
    });
    options.metrics.observe(
      'sallyport_access_sign_ins_waiting',
      'Attempts to sign in that wait for the outcome of others from their source',
      () => this.#line.waiting,
    );
  }
  configure(settings: AccessSettings): void {
    this.#guard.configure(limitsOf(settings));
  }

  /** Whether a handshake with this source is worth its price. */
  readonly admits = (source: string): boolean => {
    const now = this.#options.clock.now();
    if ((this.#refusedElsewhere.get(source) ?? now) > now) return false;
    return !this.#guard.refusesConnection(source, now);
  };

  /** At once where the failures of the client's source are counted by this worker. */
  admit(request: SipRequest, client: ClientConnection): Admission | Refusal | Promise<Admission | Refusal> {
    if (request.method !== 'REGISTER' && !request.has(AUTHORIZATION) && !request.has(PROXY_AUTHORIZATION))
      return FREE;
    const claim = claimOf(request);
    if ('kind' in claim) return claim;
    if (this.#isFree(request, claim, client)) return FREE;
    const remote = client.flow.connection.remote.address;
    const attempt = this.#attemptOf(claim, sourceKey(remote), client);
    const question: GuardQuestion = { kind: attempt.guesses > 0 ? 'begin' : 'check', attempt };
    const { method } = request;
    const outcome = (response: SipResponse | undefined) => {
      const said = outcomeOf(method, claim, response);
      if (said === 'accepted' && claim.identity !== undefined)
        client.signIn.handleProven(claim.identity.names);
      return said;
    };
    const { offices } = this.#options;
    const worker = offices?.guardOf(attempt.source);
    if (offices === undefined || worker === undefined) {
      const settle = (response: SipResponse | undefined) =>
        this.#settle(attempt, remote, outcome(response), response?.status);
      const verdict = this.answer(question);
      if (verdict instanceof Promise) return verdict.then((late) => this.#admitted(late, question, settle));
      return this.#admitted(verdict, question, settle);
    }
    return this.#askElsewhere(offices, worker, question, (response) =>
      offices.tellGuard(worker, {
        kind: 'settled',
        attempt,
        remote,
        outcome: outcome(response),
        status: response?.status,
      }),
    );
  }

  /**
   * Whether an ACK may carry its credentials inward: nobody answers it, so whether they were right is never heard, and nothing
   * could be counted. A refusal for what must not go on at all.
   */
  acknowledges(request: SipRequest, client: ClientConnection): boolean | Refusal {
    if (!request.has(AUTHORIZATION) && !request.has(PROXY_AUTHORIZATION)) return true;
    const claim = claimOf(request);
    return 'kind' in claim ? claim : this.#isFree(request, claim, client);
  }

  /** Who is signed in as that very user has proven it on this connection. */
  #isFree({ method }: SipRequest, { identity, proofs }: Claim, { signIn }: ClientConnection): boolean {
    if (proofs.length === 0 && method !== 'REGISTER') return true;
    const now = this.#options.clock.now();
    if (identity === undefined) return false;
    const { addresses, names } = identity;
    return (
      addresses.every((address) => signIn.accepts(address, now)) &&
      names.every((name) => signIn.hasProven(name))
    );
  }

  #attemptOf(
    { accounts, proofs, address, identity }: Claim,
    source: string,
    { flow }: ClientConnection,
  ): GuardQuestion['attempt'] {
    const exactly = identity === undefined ? {} : { identity: identityText(identity) };
    this.#attempts += 1;
    return {
      number: this.#attempts,
      connection: flow.id,
      accounts: [...accounts],
      source,
      address,
      ...exactly,
      guesses: proofs.length,
    };
  }

  async #askElsewhere(
    offices: GuardOffices,
    worker: number,
    question: GuardQuestion,
    settle: (response: SipResponse | undefined) => void,
  ): Promise<Admission | Refusal> {
    const verdict = await offices.askGuard(worker, question);
    if (verdict === undefined) {
      // Whoever cannot be counted is not let in; if that worker has counted it and was only late, it holds no place.
      if (question.kind === 'begin') settle(undefined);
      return refuse(503, 'worker-away', [['Retry-After', AWAY_RETRY_AFTER]]);
    }
    return this.#admitted(verdict, question, settle);
  }

  #admitted(
    verdict: GuardVerdict,
    { kind }: GuardQuestion,
    settle: (response: SipResponse | undefined) => void,
  ): Admission | Refusal {
    if (verdict.kind === 'refuse') return forbidden(verdict.reason, verdict.seconds);
    if (verdict.kind === 'no-place')
      return refuse(503, 'many-sign-ins', [['Retry-After', WAITED_RETRY_AFTER]]);
    if (kind === 'check') return FREE;
    // An accepted INVITE is remembered for long; what was asked of it is not.
    let once: typeof settle | undefined = settle;
    return {
      kind: 'admitted',
      delayMs: verdict.delayMs,
      settle: (response) => {
        const told = once;
        once = undefined;
        told?.(response);
      },
    };
  }

  /**
   * For whoever has the connection; a promise where others have to be settled first.
   * @param worker another one that asks
   */
  answer({ kind, attempt: asked }: GuardQuestion, worker?: number): GuardVerdict | Promise<GuardVerdict> {
    const attempt: Attempt = { ...asked, worker };
    const now = this.#options.clock.now();
    if (kind === 'check') return this.#guard.check(attempt, now) ?? { kind: 'pass', delayMs: 0 };
    const verdict = this.#guard.begin(attempt, now);
    if (verdict.kind !== 'wait') return verdict;
    const turn = this.#line.wait(attempt, verdict.reason, LONGEST_WAIT_MS);
    return turn.then((given) => given ?? { kind: 'no-place' });
  }
  /** Of another worker. */
  handleNews(worker: number, news: GuardNews): void {
    const now = this.#options.clock.now();
    if (news.kind === 'settled')
      this.#settle({ ...news.attempt, worker }, news.remote, news.outcome, news.status);
    else if (news.kind === 'account-failed')
      this.#guard.handleFailedElsewhere(news.accounts, news.guesses, now);
    else this.#refusedElsewhere.set(news.source, now + news.seconds * 1000);
  }

  /** Another worker has ended: nobody begins what it waits for, or tells what became of what it had begun. */
  handleWorkerEnd(worker: number): void {
    this.#line.withdraw(worker);
    const freed = this.#guard.forgetWorker(worker, this.#options.clock.now());
    for (const source of freed) this.#line.advance(source);
  }

  blocks(): Block[] {
    return this.#guard
      .blocks(this.#options.clock.now())
      .map((block) => ({ ...block, source: sourceText(block.source) }));
  }
  /** @param text an address of any host of the source, or what `blocks` calls it */
  unblock(text: string): number {
    const source = parseSource(text);
    if (source === undefined) return 0;
    this.#refusedElsewhere.delete(source);
    const lifted = this.#guard.unblock(source, this.#options.clock.now());
    this.#line.advance(source);
    return lifted;
  }

  #settle(
    attempt: Attempt,
    remote: string,
    outcome: SignInOutcome | undefined,
    status: number | undefined,
  ): void {
    const { clock, log, offices } = this.#options;
    const transitions = this.#guard.settle(attempt, outcome, clock.now());
    this.#line.advance(attempt.source);
    if (outcome !== 'failed') return;
    const { accounts, guesses } = attempt;
    offices?.tellGuards({ kind: 'account-failed', accounts: [...accounts], guesses });
    // The order of the fields is what docs/guides/fail2ban reads: what the peer wrote comes behind its address.
    log.warn('sign-in failed', { remote, status, account: accounts[0] });
    for (const transition of transitions) this.#tell(transition, attempt, remote);
  }

  #tell({ reason, account, failures, seconds }: Transition, attempt: Attempt, remote: string): void {
    const { clock, log, events, offices } = this.#options;
    const whose = account === undefined ? {} : { account };
    log.warn('source refused', { remote, rule: reason, failures, seconds, ...whose });
    const lifts = `after ${seconds} s, or sallyport access unblock ${remote}`;
    events.emit({
      provider: 'Access',
      component: 'sign-in-guard',
      level: 'warning',
      kind: 'decision',
      name: 'source-refused',
      flags: ['security'],
      fields: { rule: reason, source: attempt.source, failures, seconds, lifts, ...whose },
      keys: { address: [remote], ...(account === undefined ? {} : { uri: [account] }) },
    });
    if (reason !== 'blocked-source' || !this.#guard.refusesConnection(attempt.source, clock.now())) return;
    offices?.tellGuards({ kind: 'source-refused', source: attempt.source, seconds });
  }
}

/** The same for accounts that exist and that do not. */
function forbidden(reason: 'blocked-pair' | 'blocked-source', seconds: number): Refusal {
  return refuse(403, reason, [['Retry-After', String(seconds)]]);
}

function limitsOf({ remoteAccess: { guard } }: AccessSettings): GuardLimits {
  return {
    failuresPerAccount: guard.failuresPerAccount,
    failuresPerSource: guard.failuresPerSource,
    windowMs: guard.minutes * MINUTE_MS,
    slowMs: guard.slowMilliseconds,
    rememberMs: guard.rememberDays * DAY_MS,
    entries: ENTRIES,
  };
}
