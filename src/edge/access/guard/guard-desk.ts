import type { Clock } from '#kernel';
import { sourceKey } from '#platform/net';
import type { EventStream, Log } from '#platform/telemetry';
import type { SipRequest, SipResponse } from '#protocols/sip';
import type { ClientConnection } from '../clients/client-connection.ts';
import { type Refusal, refuse } from '../policy/refusal.ts';
import type { AccessSettings } from '../settings.ts';
import { claimOf, outcomeOf } from './attempt.ts';
import { type Attempt, type Block, type GuardLimits, SignInGuard } from './sign-in-guard.ts';

export interface GuardDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventStream;
  readonly settings: AccessSettings;
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
const FREE: Admission = { kind: 'admitted', delayMs: 0, settle: () => {} };

/** Brute force ends here, before the next hop hears of it: `SignInGuard` with its log lines and events. */
export class GuardDesk {
  readonly #options: GuardDeskOptions;
  readonly #guard: SignInGuard;

  constructor(options: GuardDeskOptions) {
    this.#options = options;
    this.#guard = new SignInGuard(limitsOf(options.settings));
  }
  configure(settings: AccessSettings): void {
    this.#guard.configure(limitsOf(settings));
  }

  /** Whether a handshake with this source is worth its price. */
  readonly admits = (source: string): boolean => {
    return !this.#guard.refusesConnection(source, this.#options.clock.now());
  };

  admit(request: SipRequest, client: ClientConnection): Admission | Refusal {
    const { clock } = this.#options;
    const now = clock.now();
    const claim = claimOf(request);
    // Who is signed in as that very user has proven it on this connection.
    if (claim === undefined || client.signIn.accepts(claim.account, now)) return FREE;
    if (!claim.proves && request.method !== 'REGISTER') return FREE;
    const remote = client.flow.connection.remote.address;
    const attempt = { account: claim.account, source: sourceKey(remote) };
    if (!claim.proves) {
      const refused = this.#guard.check(attempt, now);
      return refused === undefined ? FREE : forbidden(refused.reason, refused.seconds);
    }
    const verdict = this.#guard.begin(attempt, now);
    if (verdict.kind === 'refuse') return forbidden(verdict.reason, verdict.seconds);
    let settled = false;
    return {
      kind: 'admitted',
      delayMs: verdict.delayMs,
      settle: (response) => {
        if (settled) return;
        settled = true;
        this.#settle(attempt, remote, response);
      },
    };
  }

  blocks(): Block[] {
    return this.#guard.blocks(this.#options.clock.now());
  }
  /** @param address of any host of the source */
  unblock(address: string): number {
    const source = address.endsWith('/64') ? address : sourceKey(address);
    return this.#guard.unblock(source, this.#options.clock.now());
  }

  #settle(attempt: Attempt, remote: string, response: SipResponse | undefined): void {
    const { clock, log, events } = this.#options;
    const outcome = response === undefined ? undefined : outcomeOf(response);
    const transitions = this.#guard.settle(attempt, outcome, clock.now());
    if (outcome !== 'failed' || response === undefined) return;
    // The order of the fields is what docs/guides/fail2ban reads: what the peer wrote comes behind its address.
    log.warn('sign-in failed', { remote, status: response.status, account: attempt.account });
    for (const { reason, failures, seconds } of transitions) {
      const whose = reason === 'blocked-pair' ? { account: attempt.account } : {};
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
        keys: { address: [remote], ...(reason === 'blocked-pair' ? { uri: [attempt.account] } : {}) },
      });
    }
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
