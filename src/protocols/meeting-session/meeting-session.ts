import { type Cancel, type Clock, pauseAfter, type Random, randomToken } from '#kernel';
import {
  type ConferenceAddress,
  formatConferenceUri,
  JOIN_ANSWER_TYPE,
  type JoinAnswer,
  type Place,
  parseJoinAnswer,
} from '#protocols/conference';
import { type JoinRefusal, type MeetingSnapshot, MeetingView } from '#protocols/psom';
import { type AgentFailure, type AgentIdentity, SipAgent } from '#protocols/sip-agent';
import type { Channel, SessionTransport } from './channel.ts';
import type { SessionEnd, SessionSnapshot, SessionStage } from './session-snapshot.ts';

/** Who joins: somebody with an account, or a guest with the conference key. */
export type Who =
  | { readonly kind: 'guest'; readonly displayName: string }
  /** address: `sip:alice@example.com` */
  | { readonly kind: 'user'; readonly address: string; readonly password: string };

export interface MeetingSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: SessionTransport;
  readonly conference: ConferenceAddress;
  /** Of guests; users need none. */
  readonly key: string;
  readonly who: Who;
}

const TICK_MS = 1_000;
/** Between one try and the next: half a second, then twice as long each time, up to this. */
const RETRIES = { firstMs: 500, longestMs: 15_000 };
/** A connection that is not there by then is tried anew: packets may vanish, and a system tries the same one for minutes. */
const OPEN_MS = 10_000;
/** A token from SIP that is refused so often in a row is no accident. */
const MOST_TOKENS = 3;
const LEAVE_MS = 2_000;
const LONGEST_NAME = 64;
const ACCEPT = [['Accept', JOIN_ANSWER_TYPE]] as const;

type Problem = { readonly final: SessionEnd } | 'again';

/**
 * One participant's whole session: SIP lets it in, PSOM is the meeting, and when the connection drops it comes back by itself,
 * by its resume token or, where that is worth nothing any more, by SIP again. `snapshot` says how it stands, `view` what is in
 * the meeting. No socket of its own: the transport opens channels.
 */
export class MeetingSession {
  readonly view: MeetingView;
  readonly #options: MeetingSessionOptions;
  readonly #identity: AgentIdentity;
  readonly #instance: string;
  readonly #listeners = new Set<() => void>();
  #snapshot: SessionSnapshot = {
    ...{ stage: 'idle', end: undefined, attempts: 0, retryMs: 0, offline: false },
  };
  #agent: SipAgent | undefined;
  #signalling: Channel | undefined;
  #place: { readonly channel: Channel; open: boolean } | undefined;
  #places: readonly Place[] = [];
  /** Counts up with each place that did not take this participant in: the next try goes to another one. */
  #lastPlace = 0;
  #tokensRefused = 0;
  #cancelRetry: Cancel | undefined;
  #cancelTick: Cancel | undefined;
  #trying = false;

  constructor(options: MeetingSessionOptions) {
    this.#options = options;
    this.#identity = identityOf(options);
    this.#instance = newInstance(options.random);
    this.view = new MeetingView({ onOutput: () => this.#flush() });
    this.view.subscribe(() => this.#handleView());
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): SessionSnapshot => this.#snapshot;
  /** `host:port` of the place whose data this session gets; for fetching files. */
  get place(): Place | undefined {
    return this.#places[this.#lastPlace % (this.#places.length || 1)];
  }

  start(): void {
    if (this.#snapshot.stage !== 'idle') return;
    this.#tick();
    void this.#try();
  }
  /** Leaves the meeting, telling it so if it can be told. */
  async leave(): Promise<void> {
    if (this.#snapshot.stage === 'over') return;
    const { clock } = this.#options;
    const agent = this.#agent;
    this.#change({ stage: 'over', end: 'left' });
    if (agent !== undefined) {
      const late = new Promise<void>((resolve) => clock.after(LEAVE_MS, resolve));
      await Promise.race([agent.bye(clock.now()), late]);
    }
    this.#close();
  }
  /** Tries at once instead of waiting. */
  retryNow(): void {
    if (this.#snapshot.stage !== 'reconnecting') return;
    this.#change({ offline: false });
    this.#cancelRetry?.();
    void this.#try();
  }
  /** The device says that it has no network. */
  handleOffline(): void {
    if (this.#snapshot.stage !== 'in' && this.#snapshot.stage !== 'reconnecting') return;
    this.#cancelRetry?.();
    this.#change({ stage: 'reconnecting', offline: true });
    this.#place?.channel.close();
  }

  /** One try to get in, or back in, by the shortest way that there is. */
  async #try(): Promise<void> {
    if (this.#trying) return;
    this.#trying = true;
    const problem = await this.#attempt();
    this.#trying = false;
    if (problem === undefined || this.#snapshot.stage === 'over') return;
    if (problem === 'again') this.#retryLater();
    else this.#end(problem.final);
  }
  async #attempt(): Promise<Problem | undefined> {
    const { clock } = this.#options;
    if (this.view.canResume) return this.#openPlace(() => this.view.resume(clock.now()));
    const answer = this.#agent === undefined ? await this.#invite() : await this.#refresh(this.#agent);
    if (answer === 'again' || 'final' in answer) return answer;
    this.#places = answer.places;
    this.#stage('entering');
    return this.#openPlace(() => this.view.join(answer.token, clock.now()));
  }

  /** Signalling, sign-in, INVITE. */
  async #invite(): Promise<JoinAnswer | Problem> {
    const { clock, who, conference } = this.#options;
    this.#stage('connecting');
    const agent = await this.#openSignalling();
    if (agent === undefined) return this.#unlessReconnecting('unreachable');
    if (who.kind === 'user') {
      this.#stage('signing-in');
      const signedIn = await agent.register(this.#identity, clock.now());
      if (!signedIn.ok) return this.#refused(signedIn.error, 'wrong-password');
    }
    this.#stage('asking');
    const invited = await agent.invite(formatConferenceUri(conference), this.#identity, ACCEPT, clock.now());
    if (!invited.ok) return this.#refused(invited.error, 'wrong-link');
    return answerOf(invited.value.body);
  }
  /** A new token within the dialog that there is; else all from the beginning. */
  async #refresh(agent: SipAgent): Promise<JoinAnswer | Problem> {
    const refreshed = await agent.reinvite(ACCEPT, this.#options.clock.now());
    if (refreshed.ok) return answerOf(refreshed.value.body);
    this.#closeSignalling();
    return this.#invite();
  }
  #refused(failed: AgentFailure, forbidden: SessionEnd): Problem {
    this.#closeSignalling();
    if (failed.kind === 'refused') {
      const end = ends.get(failed.status);
      if (end !== undefined) return { final: end };
      if ([401, 403, 404, 407].includes(failed.status)) return { final: forbidden };
    }
    return this.#unlessReconnecting(failed.kind === 'transport' ? 'unreachable' : 'unavailable');
  }
  #unlessReconnecting(end: SessionEnd): Problem {
    return this.#snapshot.stage === 'reconnecting' ? 'again' : { final: end };
  }

  #openSignalling(): Promise<SipAgent | undefined> {
    const { clock, random, transport } = this.#options;
    return new Promise((resolve) => {
      const late = clock.after(OPEN_MS, () => {
        channel.close();
        resolve(undefined);
      });
      const agent = new SipAgent({
        ...{ random, transport: transport.signalling, instance: this.#instance, onOutput: () => flush() },
        onBye: (cause) => this.#handleBye(cause),
      });
      const channel = transport.openSignalling({
        onOpen: () => {
          late();
          if (this.#isOver) {
            channel.close();
            return resolve(undefined);
          }
          this.#agent = agent;
          this.#signalling = channel;
          resolve(agent);
        },
        onData: (bytes) => {
          if (!agent.handleBytes(Buffer.from(bytes), clock.now())) channel.close();
          flush();
        },
        onClose: () => {
          late();
          if (this.#agent === agent) this.#agent = undefined;
          agent.handleClosed(clock.now());
          resolve(undefined);
        },
      });
      const flush = () => {
        for (const message of agent.takeOutput()) channel.send(message);
      };
    });
  }
  #openPlace(join: () => void): Problem | undefined {
    const { clock, transport } = this.#options;
    const place = this.place;
    if (place === undefined) return { final: 'unavailable' };
    if (this.#isOver) return undefined;
    const before = this.#place;
    const user = {
      onOpen: () => {
        // Another one was tried meanwhile, or it was left.
        if (this.#place !== opened || this.#isOver) return opened.channel.close();
        late();
        opened.open = true;
        join();
        this.#flush();
      },
      onData: (bytes: Uint8Array) => {
        if (this.#place !== opened) return;
        this.view.handleBytes(bytes, clock.now());
        this.#flush();
        if (this.view.phase === 'dropped' || this.view.phase === 'refused') opened.channel.close();
      },
      onClose: () => {
        late();
        if (this.#place === opened) this.#losePlace(opened);
      },
    };
    const opened = { channel: transport.openPlace(place, user), open: false };
    const late = clock.after(OPEN_MS, () => {
      if (this.#place === opened) this.#losePlace(opened);
    });
    this.#place = opened;
    before?.channel.close();
    return undefined;
  }
  /** The connection is of no use any more; nobody waits until it has closed in order, for which a dead one takes long. */
  #losePlace({ channel, open }: { readonly channel: Channel; readonly open: boolean }): void {
    this.#place = undefined;
    // What broke off is gone on with where it was; a place that was no way in, or is none now, is left for another.
    const { stage, offline } = this.#snapshot;
    if (stage !== 'in' && !offline) this.#lastPlace += 1;
    const { phase } = this.view;
    if (phase !== 'refused' && phase !== 'ended') this.view.handleClosed();
    channel.close();
    this.#handlePlaceClosed(open);
  }
  get #isOver(): boolean {
    return this.#snapshot.stage === 'over';
  }

  /** What the meeting's own words mean for the session. */
  #handleView(): void {
    const { phase, refusal } = this.view.snapshot();
    const { stage } = this.#snapshot;
    if (stage === 'over') return;
    if (phase === 'ended') this.#end('ended');
    else if (phase === 'live' && stage !== 'in') {
      this.#tokensRefused = 0;
      this.#change({ stage: 'in', attempts: 0, retryMs: 0, offline: false });
    } else if (phase === 'refused' && refusal !== undefined) this.#handleRefusal(refusal);
  }
  #handleRefusal({ reason, retrySeconds }: NonNullable<MeetingSnapshot['refusal']>): void {
    const end = refusals[reason];
    // An edge that is full for now is nothing that whoever was in already has to give up for.
    const passes = retrySeconds > 0 && this.#snapshot.stage === 'reconnecting';
    if (end !== undefined && !passes) return this.#end(end);
    if (reason === 'token' || reason === 'expired' || reason === 'used') this.#tokensRefused += 1;
    if (this.#tokensRefused >= MOST_TOKENS) this.#end('unavailable');
  }
  #handlePlaceClosed(wasOpen: boolean): void {
    if (this.#snapshot.stage === 'over' || this.#snapshot.offline) return;
    // What one place asks for says nothing of one that was not tried yet.
    const heeds = wasOpen && this.#snapshot.attempts + 1 >= this.#places.length;
    this.#retryLater(heeds ? (this.view.snapshot().refusal?.retrySeconds ?? 0) * 1_000 : 0);
  }
  /** Many lose a place at the same time: no two of them come back at the same moment. */
  #retryLater(least = 0): void {
    const { clock, random } = this.#options;
    const { attempts } = this.#snapshot;
    const [spread = 0] = random.bytes(1);
    const backOff = Math.max(pauseAfter(attempts + 1, RETRIES), least);
    const retryMs = Math.round(backOff * (1 + spread / 512));
    this.#change({ stage: 'reconnecting', attempts: attempts + 1, retryMs });
    this.#cancelRetry?.();
    this.#cancelRetry = clock.after(retryMs, () => void this.#try());
  }
  /** The focus ended the dialog, and says why. */
  #handleBye(cause: number | undefined): void {
    this.#end((cause === undefined ? undefined : ends.get(cause)) ?? 'removed');
  }

  #end(end: SessionEnd): void {
    if (this.#snapshot.stage === 'over') return;
    this.#change({ stage: 'over', end });
    this.#close();
  }
  #close(): void {
    this.#cancelRetry?.();
    this.#cancelTick?.();
    this.#place?.channel.close();
    this.#closeSignalling();
  }
  #closeSignalling(): void {
    this.#signalling?.close();
    this.#signalling = undefined;
    this.#agent = undefined;
  }
  #tick(): void {
    const { clock } = this.#options;
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
    if (!this.view.handleTime(clock.now()) && this.#place !== undefined) this.#losePlace(this.#place);
    this.#agent?.handleTime(clock.now());
    this.#flush();
  }
  #flush(): void {
    const place = this.#place;
    if (place?.open !== true) return;
    for (const frame of this.view.takeOutput()) place.channel.send(frame);
  }
  /** How getting in goes; on the way back the stage stays what it is. */
  #stage(stage: SessionStage): void {
    if (this.#snapshot.stage !== 'reconnecting') this.#change({ stage });
  }
  #change(part: Partial<SessionSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What a status of the focus means for whoever asked. */
const ends = new Map<number, SessionEnd>([
  [480, 'locked'],
  [486, 'full'],
  [410, 'ended'],
  [603, 'removed'],
  [606, 'no-guests'],
]);
/** Refusals after which there is no coming back; after the others it is tried again. */
const refusals: { readonly [reason in JoinRefusal]: SessionEnd | undefined } = {
  version: 'unavailable',
  token: undefined,
  expired: undefined,
  used: undefined,
  'no-service': undefined,
  locked: 'locked',
  removed: 'removed',
  ended: 'ended',
  full: 'full',
  'slow-down': undefined,
};

function answerOf(body: Uint8Array): JoinAnswer | Problem {
  const answer = parseJoinAnswer(new TextDecoder().decode(body));
  return answer.ok && answer.value.places.length > 0 ? answer.value : { final: 'unavailable' };
}

function identityOf({ random, conference, key, who }: MeetingSessionOptions): AgentIdentity {
  if (who.kind === 'user') {
    const { address, password } = who;
    return { address, password, username: address.slice('sip:'.length, address.indexOf('@')) };
  }
  return {
    address: `sip:${randomToken(random, 16)}@anonymous.invalid`,
    displayName: plainName(who.displayName),
    ...{ username: conference.id, password: key, realm: conference.domain },
  };
}

/** A random UUID as a URN. */
function newInstance(random: Random): string {
  const octets = random.bytes(16);
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x40;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
}

/** On one line, and not too long for a header. */
function plainName(name: string): string {
  return name
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME);
}
