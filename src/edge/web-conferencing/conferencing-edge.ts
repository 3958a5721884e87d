import { type Clock, err } from '#kernel';
import { type CloseReason, type Connection, sourceKey } from '#platform/net';
import { type Join, PsomDoor, refuseJoin } from '#platform/psom-door';
import { type ContentAnswer, type ContentRequest, ServiceLinks } from '#platform/psom-link';
import type { EventStream, Metrics } from '#platform/telemetry';
import type { JoinRefusal } from '#protocols/psom';
import type { ConferenceClaims } from '#protocols/tokens';
import { ConferencingEvents } from './conferencing-events.ts';
import type { EdgeMetrics } from './metrics.ts';
import { FilesUnderWay } from './policy/files-under-way.ts';
import { JoinDesk } from './policy/join-desk.ts';
import type { Refusal } from './policy/refusals.ts';
import { linkSettings, type Prepared } from './prepared.ts';
import { PsomTrace, type PsomTraceHost } from './psom-trace.ts';
import { Relay } from './relay.ts';
import { TurnWriter } from './turn-writer.ts';

interface EdgeContext {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly events: EventStream;
  readonly meters: EdgeMetrics;
}

/** Somebody who is in. */
export interface Participant {
  readonly claims: ConferenceClaims;
  readonly relay: Relay;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What a participant is told, and after how many seconds it may try again (0: this token is of no use any more). */
const TOLD: Readonly<Record<Refusal, readonly [JoinRefusal, number]>> = {
  'token-malformed': ['token', 0],
  'token-forged': ['token', 0],
  'token-other-purpose': ['token', 0],
  'token-expired': ['expired', 0],
  'token-replayed': ['used', 0],
  // Most often the link is about to come back, and whoever does before it should not wait for long.
  'node-not-connected': ['no-service', 1],
  'node-draining': ['no-service', 10],
  'link-full': ['full', 30],
  'too-many-participants': ['full', 30],
  'too-many-from-source': ['full', 30],
  'source-slowed': ['slow-down', 30],
  draining: ['no-service', 1],
  service: ['token', 0],
};
/** Objects of meetings that are remembered for whoever asks for operations, of all participants: some fifty megabytes. */
const OBSERVED_OBJECTS = 262_144;
/** Codes of the two answers in their frames (docs/protocols/psom.md). */
const JOINED = 17;
const REFUSED = 18;
/** Between two parties of participants that an edge which is drained sends to other edges. */
const DRAIN_STEP_MS = 1000;

/** Between participants outside and services inside: nothing of a participant goes inside before its token is verified. */
export class ConferencingEdge {
  readonly door: PsomDoor;
  readonly links: ServiceLinks;
  readonly #context: EdgeContext;
  readonly #desk: JoinDesk;
  readonly #files: FilesUnderWay;
  readonly #writer = new TurnWriter();
  readonly #traced: PsomTraceHost;
  readonly #events: ConferencingEvents;
  readonly #participants = new Set<Participant>();
  #prepared: Prepared;
  #draining = false;
  #cancelDrain: () => void = () => {};

  constructor(context: EdgeContext, prepared: Prepared) {
    const { clock, metrics, events } = context;
    this.#context = context;
    this.#traced = { objects: { left: OBSERVED_OBJECTS }, unfollowed: context.meters.unfollowed };
    this.#prepared = prepared;
    this.#files = new FilesUnderWay(clock);
    this.#events = new ConferencingEvents(events, clock);
    this.links = new ServiceLinks({ clock, metrics }, linkSettings(prepared, false), {
      handleReady: (node, address) => this.#events.serviceConnected(node, address),
      handleChange: () => {},
      handleEnd: (notice) => this.#events.serviceLeft(notice),
    });
    const { limits } = prepared.document.policy.webConferencing;
    this.#desk = new JoinDesk(limits, (name) => this.links.node(name));
    this.door = new PsomDoor({ clock, metrics }, prepared.door, {
      handleJoin: (join, connection) => this.#handleJoin(join, connection),
      handleContent: (request, connection) => this.#handleContent(request, connection),
      handleRefused: (reason, connection, detail) => this.#events.atDoor(connection, reason, detail),
    });
  }

  get prepared(): Prepared {
    return this.#prepared;
  }
  get participants(): ReadonlySet<Participant> {
    return this.#participants;
  }
  /** Who is in stays in; limits hold for newcomers, and what may wait or be said for everybody. */
  adopt(prepared: Prepared): void {
    this.#prepared = prepared;
    this.#desk.configure(prepared.document.policy.webConferencing.limits);
    this.door.configure(prepared.door);
    this.links.configure(linkSettings(prepared, this.#draining));
  }
  /** Services name other edges to newcomers, and participants are sent there one by one. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.links.configure(linkSettings(this.#prepared, true));
    const { drainSeconds } = this.#prepared.document.policy.webConferencing.limits;
    this.#drainStep((drainSeconds * 1000) / DRAIN_STEP_MS);
  }
  undrain(): void {
    this.#draining = false;
    this.#cancelDrain();
    this.links.configure(linkSettings(this.#prepared, false));
  }
  close(): void {
    this.#cancelDrain();
    for (const { relay } of [...this.#participants]) relay.end('shutdown');
    this.door.close();
    this.links.close();
  }

  #drainStep(stepsLeft: number): void {
    const most = Math.ceil(this.#participants.size / Math.max(1, stepsLeft));
    for (const { relay } of [...this.#participants].slice(0, most)) relay.end('shutdown');
    this.#cancelDrain = this.#context.clock.after(DRAIN_STEP_MS, () => this.#drainStep(stepsLeft - 1));
  }

  #handleJoin(join: Join, outside: Connection): void {
    const { clock, meters } = this.#context;
    const { show, token, frame } = join;
    const source = sourceKey(outside.remote.address);
    const purpose = show === 'conference' ? 'join' : 'resume';
    const about = { version: String(join.version), show };
    const admitted: ReturnType<JoinDesk['admit']> = this.#draining
      ? err('draining')
      : this.#desk.admit(purpose, token, source, clock.now());
    if (!admitted.ok) {
      this.#events.operation('JOIN', outside, about);
      return this.#refuse(outside, admitted.error);
    }
    const { claims, node } = admitted.value;
    this.#events.operation('JOIN', outside, about, claims);
    const inside = node.open(outside.remote, [frame]);
    if (inside === undefined) {
      this.#desk.leave(source);
      this.#desk.forget(claims);
      return this.#refuse(outside, 'link-full', claims);
    }
    meters.admitted.inc(purpose);
    this.#events.joined(claims, purpose, outside);
    this.#relay(claims, outside, inside, source);
  }
  #relay(claims: ConferenceClaims, outside: Connection, inside: Connection, source: string): void {
    const { clock, meters, events } = this.#context;
    const trace = new PsomTrace(events, claims, outside, this.#traced);
    const relay = new Relay({
      outside,
      inside,
      clock,
      writer: this.#writer,
      bytesPerSecond: () => this.#prepared.document.policy.webConferencing.limits.bytesPerSecond,
      passed: (direction, bytes) => {
        meters.bytes.inc(direction, bytes.length);
        trace.passed(direction, bytes);
      },
      answered: (first) => {
        if (first[2] === REFUSED) this.#handleRefusedInside(outside, claims, source);
        else if (first[2] === JOINED) this.#events.operation('JOINED', outside, {}, claims);
      },
      ended: (reason) => {
        trace.close();
        this.#handleEnd(participant, source, reason);
      },
    });
    const participant: Participant = { claims, relay, since: clock.wall() };
    this.#participants.add(participant);
  }
  #handleEnd(participant: Participant, source: string, reason: CloseReason): void {
    if (!this.#participants.delete(participant)) return;
    this.#desk.leave(source);
    if (reason === 'slow-reader') this.#context.meters.slow.inc();
    this.#events.left(participant.claims, reason, participant.relay.outside);
  }
  /** The service alone knows of tokens that were used at another edge, and of generations. */
  #handleRefusedInside(outside: Connection, claims: ConferenceClaims, source: string): void {
    this.#desk.blame('service', source, this.#context.clock.now());
    this.#context.meters.refused.inc('service');
    this.#events.operation('REFUSED', outside, { rule: 'service' }, claims);
    this.#events.refused('join', outside, 'service', claims);
  }
  #refuse(outside: Connection, reason: Refusal, claims?: ConferenceClaims): void {
    const [told, retrySeconds] = TOLD[reason];
    this.#context.meters.refused.inc(reason);
    const about = { rule: reason, reason: told, retrySeconds: String(retrySeconds) };
    this.#events.operation('REFUSED', outside, about, claims);
    this.#events.refused('join', outside, reason, claims);
    refuseJoin(outside, told, retrySeconds);
  }

  async #handleContent(request: ContentRequest, connection: Connection): Promise<ContentAnswer> {
    const { clock, meters } = this.#context;
    const source = sourceKey(connection.remote.address);
    const checked = this.#desk.check('content', request.token, source, clock.now());
    if (checked.ok) return this.#files.take(source, () => checked.value.node.fetch(request));
    meters.refused.inc(checked.error);
    this.#events.refused('content', connection, checked.error);
    return err(
      checked.error === 'node-not-connected' || checked.error === 'source-slowed' ? 'busy' : 'not-allowed',
    );
  }
}
