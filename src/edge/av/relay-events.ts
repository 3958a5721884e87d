import { traceOf } from '#platform/message-log';
import {
  type EventDraft,
  type EventStream,
  eventEndpoint,
  LEVEL,
  peerLabel,
  type Tap,
} from '#platform/telemetry';
import type { EventField } from '#protocols/log-query';
import {
  ErrorCode,
  looksLikeMs,
  MessageClass,
  Method,
  MsErrorCode,
  MsMessageType,
  messageType,
  readU16,
  readU32,
} from '#protocols/stun';
import type { Allocation, AllocationEnd, RefusedRequest, TurnDrop, TurnListener } from '#protocols/turn';

const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112_a442;
/** What begins above is data of a channel, or of media. */
const FIRST_OF_DATA = 0x40;
/** Signalling that carries data. */
const DATA: ReadonlySet<number> = new Set([
  messageType(Method.Send, MessageClass.Indication),
  messageType(Method.Data, MessageClass.Indication),
]);
const MS_DATA: ReadonlySet<number> = new Set([MsMessageType.SendRequest, MsMessageType.DataIndication]);
/** Asked by everybody who is alive, every few seconds. */
const BINDING: ReadonlySet<number> = new Set(
  Object.values(MessageClass).map((messageClass) => messageType(Method.Binding, messageClass)),
);

const ERRORS = namesOf(ErrorCode);
const MS_ERRORS = namesOf(MsErrorCode);
const METHODS = namesOf(Method);

/** What the relay tells: its signalling without the data, and what became of allocations. */
export class RelayEvents {
  readonly #events: EventStream;
  readonly #signalling: Tap;
  readonly #relay: Tap;
  readonly #decisions: Tap;

  constructor(events: EventStream) {
    this.#events = events;
    this.#signalling = events.tap('Stun');
    this.#relay = events.tap('Turn');
    this.#decisions = events.tap('Av');
  }

  /** Asked for every datagram between clients and the relay, data too: one comparison while nobody wants any. */
  wants(bytes: Uint8Array, start: number): boolean {
    return this.#signalling.level >= LEVEL.info && (bytes[start] ?? FIRST_OF_DATA) < FIRST_OF_DATA;
  }
  /** Tells a message that is {@link wants | wanted}, if it is signalling. */
  message(
    direction: 'in' | 'out',
    listener: TurnListener,
    client: { readonly address: string; readonly port: number },
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { level } = this.#signalling;
    if (!this.wants(bytes, start) || end - start < HEADER_BYTES) return;
    const frame = bytes.subarray(start, end);
    const type = readU16(frame, 0);
    const isMs = looksLikeMs(frame);
    if (isMs ? MS_DATA.has(type) : DATA.has(type) || readU32(frame, 4) !== MAGIC_COOKIE) return;
    const isBinding = !isMs && BINDING.has(type);
    if (isBinding && level < LEVEL.verbose) return;
    this.#signalling.message({
      protocol: isMs ? 'ms-turn' : 'stun',
      level: isBinding ? 'verbose' : 'info',
      direction,
      peer: peerLabel(`${listener.transport}-${listener.id}`, { local: listener, remote: client }),
      // A copy: the relay has these bytes for the length of a call only.
      bytes: Uint8Array.prototype.slice.call(frame),
    });
  }

  opened(allocation: Allocation): void {
    this.#tell('allocation-opened', allocation, {});
  }
  closed(allocation: Allocation, reason: AllocationEnd): void {
    const { sentPackets, receivedPackets } = allocation;
    this.#tell('allocation-closed', allocation, { reason, sentPackets, receivedPackets });
  }
  ignored(reason: TurnDrop): void {
    if (this.#relay.level < LEVEL.verbose) return;
    const what = { provider: 'Turn', component: 'relay', level: 'verbose', kind: 'decision' } as const;
    this.#events.emit({ ...what, name: 'datagram-ignored', fields: { rule: reason } });
  }

  /** A request that was answered with an error; who is asked for a credential, or for a fresh nonce, was not refused anything yet. */
  refused({ listener, address, port, message, proof }: RefusedRequest, code: ErrorCode | MsErrorCode): void {
    const isFirstStep =
      code === ErrorCode.StaleNonce || (code === ErrorCode.Unauthenticated && message.hasIntegrity !== true);
    const level = isFirstStep ? 'verbose' : 'info';
    if (this.#decisions.level < LEVEL[level]) return;
    const { method, type } = message;
    this.#events.emit({
      ...{ provider: 'Av', component: 'relay', level, kind: 'decision', name: 'relay-request-refused' },
      connection: `${listener.transport}-${listener.id}`,
      local: eventEndpoint(listener),
      remote: eventEndpoint({ address, port }),
      fields: {
        rule: (method === undefined ? MS_ERRORS : ERRORS).get(code) ?? String(code),
        code,
        request: method === undefined ? `ms-turn ${type}` : (METHODS.get(method) ?? String(method)),
        face: listener.face,
      },
      keys: { address: [address], ...(proof?.user === undefined ? {} : { trace: [traceOf(proof.user)] }) },
    });
  }

  #tell(name: string, allocation: Allocation, more: Readonly<Record<string, EventField>>): void {
    const { id, listener, clientAddress, clientPort } = allocation;
    const told = {
      ...({ provider: 'Turn', component: 'relay', level: 'info', kind: 'state', name } as const),
      fields: {
        allocation: id,
        face: listener.face,
        clientAddress,
        clientPort,
        relayed: relayedBy(allocation),
        ...more,
      },
    };
    // Every allocation is noted twice: what only a record has is not worked out for a note.
    this.#events.emit(this.#relay.level < LEVEL.info ? told : { ...told, ...whereabouts(allocation) });
  }
}

function relayedBy({ relays }: Allocation): string {
  let relayed = '';
  for (const { advertised, port } of relays) {
    relayed += (relayed === '' ? '' : ' ') + eventEndpoint({ address: advertised, port });
  }
  return relayed;
}

/** Of an allocation's event: both ends of its client's way, and what it can be found by. */
function whereabouts({
  listener,
  clientAddress,
  clientPort,
  relays,
  user,
}: Allocation): Pick<EventDraft, 'connection' | 'local' | 'remote' | 'keys'> {
  return {
    connection: `${listener.transport}-${listener.id}`,
    local: eventEndpoint(listener),
    remote: eventEndpoint({ address: clientAddress, port: clientPort }),
    keys: {
      address: [clientAddress, ...relays.map(({ advertised }) => advertised)],
      // The user itself is not for logs; who asked for the credential is told where it was given out.
      trace: [traceOf(user)],
    },
  };
}

/** The registry's names by their numbers. */
function namesOf(numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
}
