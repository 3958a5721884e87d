import type { Clock } from '#kernel';
import type { Connection } from '#platform/net';
import {
  decodeOperation,
  encodeOperation,
  FrameReader,
  type JoinKind,
  type JoinRefusal,
} from '#protocols/psom';
import type { ConferenceClaims } from '#protocols/tokens';
import type { Meetings } from './meetings.ts';
import type { Seated, ServiceEvents } from './service-events.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import { Session, type SessionLimits } from './session.ts';
import { generationOf, type Tokens } from './tokens.ts';

const VERSION = 1;
/** A JOIN is a token and little more. */
const firstFrame = { frameBytes: 1024, frameMs: 10_000 };
/** After which one may try again what could not be written down. */
const RETRY_SECONDS = 5;

export interface ReceptionOptions {
  readonly clock: Clock;
  readonly meetings: Meetings;
  readonly tokens: Tokens;
  readonly metrics: ServiceMetrics;
  readonly events: ServiceEvents;
  readonly limits: () => SessionLimits;
}

/** Who has joined, or why not. */
type Judgement = { readonly session: Session; readonly resumeToken: string } | JoinRefusal;

/** Takes connections in: the JOIN, its token, and the seat in the meeting. */
export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** A connection whose first frame is a JOIN. */
  receive(connection: Connection): void {
    const { clock } = this.#options;
    const reader = new FrameReader(firstFrame);
    const tooLate = clock.after(firstFrame.frameMs, () => connection.destroy('timeout'));
    connection.onClose = tooLate;
    let received = 0;
    connection.onData = (chunk) => {
      received += chunk.length;
      for (const body of reader.push(chunk, clock.now())) {
        tooLate();
        const join = decodeOperation(body);
        // Nothing is sent before JOINED has come.
        if (join?.kind !== 'join' || received !== body.length + 2) return connection.destroy('protocol');
        return this.join(join, connection);
      }
      if (reader.fault !== undefined) connection.destroy('protocol');
    };
  }
  /** A JOIN has been read. */
  join(
    { version, show, token }: { version?: number; show: JoinKind; token: string },
    connection: Connection,
  ): void {
    const { meetings, metrics, events } = this.#options;
    connection.onData = () => connection.destroy('protocol');
    const judged = (version ?? VERSION) === VERSION ? this.#judge(show, token, connection) : 'version';
    if (typeof judged === 'string') return this.#refuse(connection, judged);
    metrics.joins.inc(show);
    events.joined(seatedBy(judged.session), show, connection);
    meetings.sit(judged.session, judged.resumeToken);
  }

  #refuse(connection: Connection, reason: JoinRefusal): void {
    this.#options.metrics.refusedJoins.inc(reason);
    this.#options.events.refused(reason, connection);
    const retrySeconds = reason === 'no-service' ? RETRY_SECONDS : 0;
    connection.write(encodeOperation({ kind: 'refused', reason, retrySeconds }));
    connection.end('policy');
  }

  #judge(show: JoinKind, token: string, connection: Connection): Judgement {
    const { clock, meetings, tokens, limits } = this.#options;
    const now = clock.wall();
    const opened = tokens.open(show === 'resume' ? 'resume' : 'join', token, now);
    if (!opened.ok) return opened.error === 'expired' ? 'expired' : 'token';
    const { conference, participant: number } = opened.value;
    if (!meetings.writable) return 'no-service';
    const meeting = meetings.open(conference);
    if (meeting === undefined) return 'token';
    const participant = meeting.roster.find(number);
    if (participant === undefined) {
      if (meeting.roster.wasRemoved(number)) return 'removed';
      return meeting.record.ended === undefined ? 'token' : 'ended';
    }
    if (!this.#isFresh(show, opened.value, meetings)) return 'used';
    const session = new Session({
      ...{ clock, meeting, participant, connection, limits: limits() },
      onOutput: (one) => meetings.touch(one),
      onClosed: (one, reason) => {
        this.#options.metrics.ended.inc(reason);
        this.#options.events.left(seatedBy(one), reason, connection);
        meetings.stand(one);
      },
    });
    return { session, resumeToken: this.#nextResumeToken(show, opened.value, session) };
  }
  /** A conference token is good once; of resume tokens the newest, and the one before until the newest was heard of. */
  #isFresh(show: JoinKind, claims: ConferenceClaims, meetings: Meetings): boolean {
    if (show === 'conference') return meetings.use(claims);
    const participant = meetings.open(claims.conference)?.roster.find(claims.participant);
    if (participant === undefined) return false;
    const { generation } = participant.record;
    const shown = generationOf(claims);
    return shown === generation || (!participant.confirmed && shown === generation - 1 && shown > 0);
  }
  #nextResumeToken(show: JoinKind, claims: ConferenceClaims, { meeting, participant }: Session): string {
    const { clock, meetings, tokens } = this.#options;
    const { record } = participant;
    if (show === 'conference' || generationOf(claims) === record.generation) record.generation += 1;
    participant.confirmed = false;
    meetings.note(meeting.record.id, { kind: 'participant', record });
    return tokens.resume(meeting.record.id, participant, record.generation, clock.wall());
  }
}

function seatedBy({ meeting, participant }: Session): Seated {
  return { conference: meeting.record.id, participant: participant.record.number };
}
