import { sipKeys } from '#platform/message-log';
import { type EventDraft, type EventStream, eventEndpoint, LEVEL, type Tap } from '#platform/telemetry';
import type { SipRequest } from '#protocols/sip';
import type { Flow } from './flow.ts';
import type { FlowCloseReason } from './types.ts';

/** What an endpoint tells of its messages and flows. */
export class MessageEvents {
  readonly #events: EventStream | undefined;
  readonly #tap: Tap | undefined;
  readonly #component: string;

  /** @param name of the endpoint */
  constructor(events: EventStream | undefined, name: string) {
    this.#events = events;
    this.#tap = events?.tap('Sip');
    this.#component = `${name.replaceAll('_', '-')}-endpoint`;
  }

  /** Asked for each message, so one comparison as long as nobody wants any. */
  message(direction: 'in' | 'out', flow: Flow, bytes: Uint8Array): void {
    const tap = this.#tap;
    if (tap === undefined || tap.level < LEVEL.info) return;
    tap.message({ protocol: 'sip', level: 'info', direction, peer: flow.peer, bytes });
  }

  /** What came is no message, or none that can be answered. */
  unreadable(flow: Flow, reason: string): void {
    this.#tell(flow, {
      level: 'info',
      kind: 'decision',
      name: 'message-not-understood',
      fields: { rule: reason },
    });
  }
  refused(flow: Flow, request: SipRequest, reason: string): void {
    const { method } = request;
    const fields = { rule: reason, method: method.slice(0, 32) };
    this.#tell(flow, {
      level: 'info',
      kind: 'decision',
      name: 'request-refused',
      fields,
      keys: sipKeys(request),
    });
  }
  closed(flow: Flow, reason: FlowCloseReason): void {
    const { messages, bytes } = flow;
    const fields = { reason, messages, bytes };
    this.#tell(flow, { level: 'verbose', kind: 'state', name: 'flow-closed', flags: ['connection'], fields });
  }

  #tell(flow: Flow, event: Omit<EventDraft, 'provider' | 'component'>): void {
    if (this.#events === undefined || this.#tap === undefined || this.#tap.level < LEVEL[event.level]) return;
    const { local, remote } = flow.connection;
    this.#events.emit({
      ...event,
      provider: 'Sip',
      component: this.#component,
      connection: String(flow.id),
      local: eventEndpoint(local),
      remote: eventEndpoint(remote),
      keys: { ...event.keys, address: [remote.address] },
    });
  }
}
