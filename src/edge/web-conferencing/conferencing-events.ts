import type { Connection } from '#platform/net';
import type { DoorRefusal } from '#platform/psom-door';
import type { LinkNotice } from '#platform/psom-link';
import type { EventStream } from '#platform/telemetry';
import type { ConferenceClaims } from '#protocols/tokens';
import type { Refusal } from './policy/refusals.ts';

const FROM_PEER = 200;

/** What an operator may ask about later; each refusal names its rule. Tokens are secrets and stand nowhere. */
export class ConferencingEvents {
  readonly #events: EventStream;

  constructor(events: EventStream) {
    this.#events = events;
  }

  refused(what: 'join' | 'content', connection: Connection, rule: Refusal, node = ''): void {
    const { address } = connection.remote;
    this.#decision('participant-refused', address, { rule, what, address, node });
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
    this.#state('participant-joined', { conference, participant, role, node, by, address });
  }
  left({ conference, participant }: ConferenceClaims, rule: string, connection: Connection): void {
    const { address } = connection.remote;
    this.#state('participant-left', { conference, participant, rule, address });
  }
  serviceConnected(node: string, address: string): void {
    this.#state('web-conferencing-connected', { node, address });
  }
  serviceLeft({ peer, address, reason, detail = '' }: LinkNotice): void {
    this.#state('web-conferencing-left', { node: peer, address, rule: reason, detail: detail.slice(0, 400) });
  }

  #decision(name: string, address: string, fields: Readonly<Record<string, string>>): void {
    this.#events.emit({
      provider: 'WebConferencing',
      component: 'web-conferencing',
      level: 'warning',
      kind: 'decision',
      name,
      direction: 'in',
      remote: address,
      fields,
      keys: { address: [address] },
    });
  }
  #state(name: string, fields: Readonly<Record<string, string | number>>): void {
    this.#events.emit({
      provider: 'WebConferencing',
      component: 'web-conferencing',
      level: 'info',
      kind: 'state',
      name,
      fields,
    });
  }
}
