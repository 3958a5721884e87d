import type { Clock } from '#kernel';
import { participantTrace } from '#platform/message-log';
import { type Connection, sourceKey } from '#platform/net';
import type { DoorRefusal } from '#platform/psom-door';
import type { LinkNotice } from '#platform/psom-link';
import { type EventStream, eventEndpoint } from '#platform/telemetry';
import type { EventKeys } from '#protocols/log-query';
import type { ConferenceClaims } from '#protocols/tokens';
import type { Refusal } from './policy/refusals.ts';
import { ToldRefusals } from './policy/told-refusals.ts';

const FROM_PEER = 200;
/** As in docs/protocols/psom.md. */
type Operation = 'JOIN' | 'JOINED' | 'REFUSED';
/** Of a token that was verified. */
type Claimed = Pick<ConferenceClaims, 'conference' | 'participant' | 'node'>;

/**
 * What an operator may ask about later; each refusal names its rule, and how many like it were held back (`suppressed`).
 * Tokens are secrets and stand nowhere.
 */
export class ConferencingEvents {
  readonly #events: EventStream;
  readonly #clock: Clock;
  readonly #refusals: ToldRefusals;

  constructor(events: EventStream, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
    this.#refusals = new ToldRefusals(clock.now());
  }

  /** One operation of the connection with which a participant comes: what it shows, and what it is told. The others are PsomTrace's. */
  operation(
    operation: Operation,
    connection: Connection,
    about: Readonly<Record<string, string>>,
    claims?: Claimed,
  ): void {
    this.#events.emit({
      provider: 'Psom',
      component: 'web-conferencing',
      level: 'info',
      kind: 'message',
      name: 'psom-operation',
      flags: ['protocol'],
      direction: operation === 'JOIN' ? 'in' : 'out',
      connection: String(connection.id),
      local: eventEndpoint(connection.local),
      remote: eventEndpoint(connection.remote),
      fields: { operation, ...about },
      keys: keysOf(connection.remote.address, claims),
    });
  }
  refused(what: 'join' | 'content', connection: Connection, rule: Refusal, claims?: Claimed): void {
    const { address } = connection.remote;
    const { node = '' } = claims ?? {};
    this.#decision('participant-refused', address, { rule, what, address, node }, claims);
  }
  atDoor(connection: Connection, rule: DoorRefusal, detail = ''): void {
    const { address } = connection.remote;
    this.#decision('door-refused', address, { rule, address, detail: detail.slice(0, FROM_PEER) });
  }
  joined(claims: ConferenceClaims, by: string, connection: Connection): void {
    const { conference, participant, role, node } = claims;
    const { address } = connection.remote;
    const keys = keysOf(address, claims);
    this.#state('participant-joined', { conference, participant, role, node, by, address }, keys);
  }
  left(claims: ConferenceClaims, rule: string, connection: Connection): void {
    const { conference, participant } = claims;
    const { address } = connection.remote;
    const keys = keysOf(address, claims);
    this.#state('participant-left', { conference, participant, rule, address }, keys);
  }
  serviceConnected(node: string, address: string): void {
    this.#state('web-conferencing-connected', { node, address }, keysOf(address));
  }
  serviceLeft({ peer, address, reason, detail = '' }: LinkNotice): void {
    const fields = { node: peer, address, rule: reason, detail: detail.slice(0, 400) };
    this.#state('web-conferencing-left', fields, keysOf(address));
  }

  #decision(
    name: string,
    address: string,
    fields: Readonly<Record<string, string>> & { readonly rule: string },
    claims?: Claimed,
  ): void {
    const suppressed = this.#refusals.tell(sourceKey(address), `${name} ${fields.rule}`, this.#clock.now());
    if (suppressed === undefined) return;
    this.#events.emit({
      provider: 'WebConferencing',
      component: 'web-conferencing',
      level: 'warning',
      kind: 'decision',
      name,
      direction: 'in',
      remote: address,
      fields: suppressed === 0 ? fields : { ...fields, suppressed },
      keys: keysOf(address, claims),
    });
  }
  #state(name: string, fields: Readonly<Record<string, string | number>>, keys: EventKeys): void {
    this.#events.emit({
      provider: 'WebConferencing',
      component: 'web-conferencing',
      level: 'info',
      kind: 'state',
      name,
      fields,
      keys,
    });
  }
}

function keysOf(address: string, claims?: Claimed): EventKeys {
  if (claims === undefined) return { address: [address] };
  const { conference, participant } = claims;
  return {
    address: [address],
    conference: [conference],
    trace: [participantTrace(conference, participant)],
  };
}
