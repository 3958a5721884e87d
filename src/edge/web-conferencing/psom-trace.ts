import { participantTrace } from '#platform/message-log';
import type { Connection } from '#platform/net';
import { type Counter, type EventStream, LEVEL, peerLabel, type Tap } from '#platform/telemetry';
import {
  encodeObserved,
  type FollowFault,
  INTEREST,
  type ObjectBudget,
  type ObservedOperation,
  OperationFollower,
} from '#protocols/psom';
import type { ConferenceClaims } from '#protocols/tokens';

/** What all participants of an edge share. */
export interface PsomTraceHost {
  readonly objects: ObjectBudget;
  readonly unfollowed: Counter<FollowFault>;
}

/** What a participant and the service say to each other, for whoever asks. Bytes are looked at in passing, and go on as they are. */
export class PsomTrace {
  readonly #events: EventStream;
  readonly #tap: Tap;
  readonly #claims: ConferenceClaims;
  readonly #outside: Connection;
  readonly #peer: Uint8Array;
  readonly #follower: OperationFollower;

  constructor(
    events: EventStream,
    claims: ConferenceClaims,
    outside: Connection,
    { objects, unfollowed }: PsomTraceHost,
  ) {
    this.#events = events;
    this.#tap = events.tap('Psom');
    this.#claims = claims;
    this.#outside = outside;
    this.#peer = peerLabel(outside.id, outside);
    this.#follower = new OperationFollower({
      interest: () => this.#interest(),
      tell: (operation) => this.#tell(operation),
      lost: (rule, from) => {
        unfollowed.inc(rule);
        this.#lost(rule, from);
      },
      objects,
    });
  }

  passed(direction: 'inward' | 'outward', bytes: Uint8Array): void {
    this.#follower.push(direction === 'inward' ? 'client' : 'server', bytes);
  }

  close(): void {
    this.#follower.close();
  }

  #interest(): number {
    const { level } = this.#tap;
    if (level >= LEVEL.verbose) return INTEREST.everything;
    return level >= LEVEL.info ? INTEREST.signalling : INTEREST.nothing;
  }
  #tell({ from, weight, object, interface: declared, method, frame }: ObservedOperation): void {
    const { conference, participant } = this.#claims;
    this.#tap.message({
      protocol: 'psom',
      level: weight === 'signalling' ? 'info' : 'verbose',
      direction: from === 'client' ? 'in' : 'out',
      peer: this.#peer,
      bytes: encodeObserved({ conference, participant, object, interface: declared, method, frame }),
    });
  }
  #lost(rule: string, from: 'client' | 'server'): void {
    const { conference, participant } = this.#claims;
    const { address } = this.#outside.remote;
    this.#events.emit({
      provider: 'Psom',
      component: 'web-conferencing',
      level: 'info',
      kind: 'decision',
      name: 'psom-followed-no-more',
      direction: from === 'client' ? 'in' : 'out',
      connection: String(this.#outside.id),
      fields: { rule, from },
      keys: {
        address: [address],
        conference: [conference],
        trace: [participantTrace(conference, participant)],
      },
    });
  }
}
