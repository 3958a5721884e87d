import { type Clock, SystemClock } from '#kernel';
import {
  canThread,
  type DatagramLimits,
  PlainRelayDatagrams,
  type RelayDatagrams,
  ThreadedRelayDatagrams,
} from '#platform/datagrams';
import type { EventStream, Log } from '#platform/telemetry';
import type { Settings } from './settings.ts';

/** All clients of an interface share one socket; each relayed address has its own. */
const listenerSockets: DatagramLimits = { queuedBytes: 1 << 22, receiveBuffer: 4 << 20 };
const relaySockets: DatagramLimits = { queuedBytes: 1 << 18, receiveBuffer: 0 };
/** Two a channel, four an allocation and two a user; what finds no room is relayed by the service itself. */
const ROOM = { flows: 1 << 17, budgets: 1 << 17 };
/** Octets from one thread that wait for the service; as much as waits at most in a listener's socket. */
const WAITING_BYTES = 4 << 20;

export interface RelayDatagramsContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventStream;
  readonly settings: Settings;
}

/** As many as there are at most. */
export function relayedAddresses({ place: { addresses, ports } }: Settings): number {
  return addresses.length * (ports.last - ports.first + 1);
}

/** The relay's datagrams, in as many threads as the document says: with one, in this one. */
export function relayDatagrams({ clock, log, events, settings }: RelayDatagramsContext): RelayDatagrams {
  const { threads, folder } = settings.threading;
  const now = () => clock.now();
  const limits = { clients: listenerSockets, peers: relaySockets };
  if (threads === 1 || !canThread) {
    if (threads > 1) log.warn('no threads here, the service relays itself', { code: 'SLP-AV-0209' });
    return new PlainRelayDatagrams({ ...limits, room: { flows: 0, budgets: 0 }, now });
  }
  const tell = (name: string, thread: number, cause?: string) =>
    events.emit({
      ...{ provider: 'Av', component: 'relay', level: cause === undefined ? 'info' : 'error', kind: 'state' },
      name,
      flags: ['component'],
      fields: { thread, ...(cause === undefined ? {} : { cause: cause.slice(0, 400) }) },
    });
  return new ThreadedRelayDatagrams({
    ...limits,
    room: ROOM,
    now,
    // Threads live in the time of the system, whichever time the flows are in.
    clock: new SystemClock(),
    threads,
    waitingBytes: WAITING_BYTES,
    relayed: relayedAddresses(settings),
    folder,
    running: (thread) => {
      log.info('relay thread runs', { thread });
      tell('relay-thread-running', thread);
    },
    ended: (thread, cause) => {
      log.error('relay thread ended, its sockets are read here until another is there', {
        code: 'SLP-AV-0208',
        thread,
        cause,
      });
      tell('relay-thread-ended', thread, cause);
    },
  });
}
