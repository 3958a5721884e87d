import { sipKeys } from '#platform/message-log';
import type { Connection } from '#platform/net';
import type { SipFlow } from '#platform/sip-endpoint';
import { type EventStream, eventEndpoint, LEVEL, type Tap } from '#platform/telemetry';
import type { EventField, EventLevel } from '#protocols/log-query';
import type { SipRequest } from '#protocols/sip';
import type { SignInOutcome } from './metrics.ts';
import type { RefusalReason } from './policy/refusal.ts';

interface Refused {
  readonly reason: RefusalReason;
  readonly from: SipFlow;
  readonly peer: string;
  readonly request: SipRequest | undefined;
  readonly status: number | undefined;
}
interface Told {
  readonly level: EventLevel;
  readonly name: string;
  readonly fields: Readonly<Record<string, EventField>>;
}

/** Every decision of the service on a message or a connection: one event each, which names the rule. */
export class DecisionEvents {
  readonly #events: EventStream;
  readonly #tap: Tap;

  constructor(events: EventStream) {
    this.#events = events;
    this.#tap = events.tap('Access');
  }

  refused({ reason, from, peer, request, status }: Refused): void {
    if (this.#tap.level < LEVEL.info) return;
    const fields = {
      rule: reason,
      peer,
      ...(request === undefined ? {} : { method: request.method.slice(0, 32) }),
      ...(status === undefined ? {} : { status }),
    };
    this.#tell({ level: 'info', name: 'request-refused', fields }, from, request);
  }
  /** A connection that is closed before it said anything, or since there is no room for it. */
  connectionRefused(
    reason: RefusalReason,
    peer: string,
    { id, local, remote }: Pick<Connection, 'id' | 'local' | 'remote'>,
  ): void {
    if (this.#tap.level < LEVEL.info) return;
    this.#events.emit({
      provider: 'Access',
      component: 'access-proxy',
      level: 'info',
      kind: 'decision',
      name: 'connection-refused',
      flags: ['connection', 'security'],
      fields: { rule: reason, peer },
      connection: String(id),
      local: eventEndpoint(local),
      remote: eventEndpoint(remote),
      keys: { address: [remote.address] },
    });
  }
  signIn(outcome: SignInOutcome, request: SipRequest, from: SipFlow, status: number): void {
    if (this.#tap.level < LEVEL.info) return;
    this.#tell({ level: 'info', name: 'sign-in', fields: { outcome, status } }, from, request);
  }

  #tell({ level, name, fields }: Told, from: SipFlow, request: SipRequest | undefined): void {
    const { local, remote } = from.connection;
    this.#events.emit({
      provider: 'Access',
      component: 'access-proxy',
      level,
      kind: 'decision',
      name,
      flags: ['security'],
      fields,
      connection: String(from.id),
      local: eventEndpoint(local),
      remote: eventEndpoint(remote),
      keys: { ...(request === undefined ? {} : sipKeys(request)), address: [remote.address] },
    });
  }
}
