import { type Clock, TokenBucket } from '#kernel';
import type { Connection } from '#platform/net';
import type { LinkNotice } from '#platform/psom-link';
import type { EventStream } from '#platform/telemetry';
import type { EventKeys } from '#protocols/log-query';
import type { JoinKind, JoinRefusal } from '#protocols/psom';

/** Of refusals: so many at once, and then so many a second; metrics count all. */
const REFUSALS = { atOnce: 50, perSecond: 1 };
const FROM_PEER = 400;

/** Somebody in a meeting. */
export interface Seated {
  readonly conference: string;
  readonly participant: number;
}

/** What an operator may ask about later (`sallyport events` on the internal socket). Tokens and names of people stand nowhere. */
export class ServiceEvents {
  readonly #events: EventStream;
  readonly #clock: Clock;
  readonly #refusals: TokenBucket;
  /** Edges of which it was told that there is no link; attempts go on for ever. */
  readonly #absent = new Set<string>();
  #suppressed = 0;

  constructor(events: EventStream, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
    this.#refusals = new TokenBucket(REFUSALS.perSecond, REFUSALS.atOnce, clock.now());
  }

  joined({ conference, participant }: Seated, by: JoinKind, { remote }: Connection): void {
    const fields = { conference, participant, by, address: remote.address };
    this.#state('participant-joined', fields, { address: [remote.address], conference: [conference] });
  }
  left({ conference, participant }: Seated, rule: string, { remote }: Connection): void {
    const fields = { conference, participant, rule, address: remote.address };
    this.#state('participant-left', fields, { address: [remote.address], conference: [conference] });
  }
  refused(rule: JoinRefusal, { remote }: Connection): void {
    if (!this.#refusals.take(this.#clock.now())) {
      this.#suppressed += 1;
      return;
    }
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#events.emit({
      provider: 'WebConferencing',
      component: 'reception',
      level: 'warning',
      kind: 'decision',
      name: 'participant-refused',
      direction: 'in',
      remote: remote.address,
      fields: { rule, address: remote.address, ...(suppressed === 0 ? {} : { suppressed }) },
      keys: { address: [remote.address] },
    });
  }
  edgeConnected(edge: string): void {
    this.#absent.delete(edge);
    this.#state('edge-connected', { edge }, {});
  }
  edgeLeft({ peer, address, reason, detail = '' }: LinkNotice): void {
    if (this.#absent.has(peer)) return;
    this.#absent.add(peer);
    const fields = { edge: peer, address, rule: reason, detail: detail.slice(0, FROM_PEER) };
    this.#state('edge-left', fields, { address: [address] });
  }

  #state(name: string, fields: Readonly<Record<string, string | number>>, keys: EventKeys): void {
    this.#events.emit({
      provider: 'WebConferencing',
      component: 'reception',
      level: 'info',
      kind: 'state',
      name,
      fields,
      keys,
    });
  }
}
