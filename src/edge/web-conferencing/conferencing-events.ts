import type { Clock } from '#kernel';
import { type Connection, sourceKey } from '#platform/net';
import type { DoorRefusal } from '#platform/psom-door';
import type { LinkNotice } from '#platform/psom-link';
import type { EventStream } from '#platform/telemetry';
import type { EventKeys } from '#protocols/log-query';
import type { ConferenceClaims } from '#protocols/tokens';
import type { Refusal } from './policy/refusals.ts';
import { ToldRefusals } from './policy/told-refusals.ts';

const FROM_PEER = 200;
/** As in docs/protocols/psom.md. */
type Operation = 'JOIN' | 'JOINED' | 'REFUSED';

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

  /**
   * One operation of the connection with which a participant comes: what it shows, and what it is told. Afterwards the edge
   * passes on octets that it does not read.
   */
  operation(
    operation: Operation,
    connection: Connection,
    about: Readonly<Record<string, string>>,
    conference?: string,
  ): void {
    const { address, port } = connection.remote;
    this.#events.emit({
      provider: 'Psom',
      component: 'web-conferencing',
      level: 'info',
      kind: 'message',
      name: 'psom-operation',
      flags: ['protocol'],
      direction: operation === 'JOIN' ? 'in' : 'out',
      connection: String(connection.id),
      remote: `${address.includes(':') ? `[${address}]` : address}:${port}`,
      fields: { operation, ...about },
      keys: keysOf(address, conference),
    });
  }
  /** @param conference only of a token that was verified */
  refused(
    what: 'join' | 'content',
    connection: Connection,
    rule: Refusal,
    { node = '', conference }: { readonly node?: string; readonly conference?: string } = {},
  ): void {
    const { address } = connection.remote;
    this.#decision('participant-refused', address, { rule, what, address, node }, conference);
  }
  atDoor(connection: Connection, rule: DoorRefusal, detail = ''): void {
    const { address } = connection.remote;
    this.#decision('door-refused', address, { rule, address, detail: detail.slice(0, FROM_PEER) });
  }
  joined(
    { conference, participant, role, node }: ConferenceClaims,
    by: string,
    connection: Connection,
  ): void {
    const { address } = connection.remote;
    const keys = keysOf(address, conference);
    this.#state('participant-joined', { conference, participant, role, node, by, address }, keys);
  }
  left({ conference, participant }: ConferenceClaims, rule: string, connection: Connection): void {
    const { address } = connection.remote;
    const keys = keysOf(address, conference);
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
    conference?: string,
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
      keys: keysOf(address, conference),
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

function keysOf(address: string, conference?: string): EventKeys {
  return conference === undefined ? { address: [address] } : { address: [address], conference: [conference] };
}
