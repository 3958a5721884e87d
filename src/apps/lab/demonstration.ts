import {
  type AudioStatistics,
  AudioStream,
  type Call,
  Phone,
  PresenceClient,
  RelayedPath,
  type RelayServer,
  type SignIn,
} from '#apps/softphone';
import { FailureError, failure, SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import { Inbox } from './inbox.ts';
import { type LabPlan, labFiles, type Person } from './lab-plan.ts';
import type { Narrator } from './narrator.ts';
import type { LabProgram } from './program.ts';
import type { LabSecrets } from './set-up.ts';
import type { SceneActor } from './xmpp-scene.ts';

export interface DemonstrationOptions {
  readonly plan: LabPlan;
  readonly secrets: LabSecrets;
  readonly edge: LabProgram;
  readonly narrator: Narrator;
  /** How long each call lasts, milliseconds; a few seconds by default. */
  readonly callMs?: number;
  /** Plays what an XMPP partner is needed for. */
  readonly withPartner?: (alice: SceneActor, bob: SceneActor) => Promise<void>;
}

type Message = { readonly from: string; readonly text: string };

interface Actor {
  readonly person: Person;
  readonly phone: Phone;
  readonly inbox: Inbox<Message>;
  signIn?: SignIn;
  relay?: RelayServer;
  /** Set while in a call. */
  stream?: AudioStream;
  path?: RelayedPath;
}

const CALL_MS = 4_000;
/** How long packets that are under way when the senders stop may take. */
const SETTLE_MS = 5_000;
/** What each person plays, in hertz, so that everyone can tell whom they hear. */
const TONES: { readonly [person in Person]: number } = { alice: 400, bob: 900, carol: 1400 };
const clock = new SystemClock();
const random = new SystemRandom();

/** The play of the lab: three people sign in, write to one another, and call. Throws at the first thing that fails. */
export class Demonstration {
  readonly #options: DemonstrationOptions;
  readonly #actors = new Map<Person, Actor>();

  constructor(options: DemonstrationOptions) {
    this.#options = options;
  }

  async play(): Promise<void> {
    try {
      await this.#signIn();
      await this.#exchangeMessages();
      await this.#showPresence();
      await this.#options.withPartner?.(this.#actor('alice'), this.#actor('bob'));
      await this.#fetchCredentials();
      await this.#callAndCount('alice', 'bob');
      await this.#callAndCount('alice', 'carol');
      for (const actor of this.#actors.values()) await actor.phone.signOut();
    } finally {
      for (const actor of this.#actors.values()) {
        actor.stream?.stop();
        actor.phone.close();
      }
    }
  }

  async #signIn(): Promise<void> {
    const { narrator, plan } = this.#options;
    narrator.part('Signing in');
    for (const person of ['alice', 'carol', 'bob'] as const) {
      const outside = person !== 'bob';
      const server = outside
        ? { ...plan.access, name: plan.names.access }
        : { ...plan.frontEnd, name: plan.names.frontEnd };
      const actor = await this.#connect(person, server);
      const signIn = await actor.phone.signIn();
      actor.signIn = signIn;
      if (signIn.outside !== outside) throw unexpected(`${person} was told to be on the wrong side`);
      if (outside) {
        narrator.step(
          `${person}, outside: REGISTER over TLS to the Access Edge, passed on by mutual TLS`,
          'ext-05',
          'int-03',
        );
        narrator.step(
          `  the front end challenged ${person}, the answer was right: signed in`,
          'int-03',
          'ext-05',
        );
      } else {
        narrator.step(
          `${person}, inside: REGISTER over TLS to the front end, challenged, signed in`,
          'more-02',
        );
      }
    }
  }

  async #connect(person: Person, server: { address: string; port: number; name: string }): Promise<Actor> {
    const { plan, secrets } = this.#options;
    const trust = loadTrustAnchors(labFiles(plan).authority);
    if (!trust.ok) throw new FailureError(trust.error);
    const inbox = new Inbox<Message>(clock, `a message for ${person}`);
    const phone = await Phone.connect({
      clock,
      random,
      identity: { address: `sip:${person}@${plan.domain}`, password: secrets.passwords[person] },
      server,
      localAddress: plan.clients[person],
      trust: trust.value,
      hosts: new Map([
        [plan.names.av, plan.av.address],
        [plan.names.edge, plan.internal.address],
      ]),
      onMessage: (from, text) => inbox.put({ from, text }),
      onCall: async () => ({ path: await this.#openPath(person) }),
    });
    const actor: Actor = { person, phone, inbox };
    this.#actors.set(person, actor);
    return actor;
  }

  async #exchangeMessages(): Promise<void> {
    const { narrator } = this.#options;
    narrator.part('Messages');
    const [alice, carol] = [this.#actor('alice'), this.#actor('carol')];
    await alice.phone.message(carol.phone.address, 'Hello Carol, can you hear me out there?');
    const question = await carol.inbox.next();
    narrator.step(`alice to carol: "${question.text}"`, 'ext-05', 'int-03', 'int-02', 'ext-05');
    await carol.phone.message(alice.phone.address, 'Loud and clear. Call me!');
    const answer = await alice.inbox.next();
    narrator.step(`carol to alice: "${answer.text}"`, 'ext-05', 'int-03', 'int-02', 'ext-05');
    if (question.from !== alice.phone.address || answer.from !== carol.phone.address) {
      throw unexpected('a message came from somebody else');
    }
  }

  /** Alice, outside, sees what carol shows, and no more once carol says no. */
  async #showPresence(): Promise<void> {
    const { narrator } = this.#options;
    narrator.part('Presence');
    const [alice, carol] = [this.#actor('alice'), this.#actor('carol')];
    const heard = new Inbox<{ state: string; text: string }>(clock, 'the presence of carol');
    const [seen, shown] = [new PresenceClient(alice.phone), new PresenceClient(carol.phone)];
    const watching = await seen.watch(carol.phone.address, ({ state, document }) => {
      const tuple = document?.tuples[0];
      heard.put({ state, text: `${tuple?.basic ?? 'nothing'} ${tuple?.notes[0]?.text ?? ''}`.trim() });
    });
    const first = await heard.next();
    narrator.step(
      `alice watches carol: ${first.state}, ${first.text}`,
      'ext-05',
      'int-03',
      'int-02',
      'ext-05',
    );
    await shown.publish({ show: 'dnd', note: { text: 'in a meeting' } });
    const change = await heard.next();
    narrator.step(
      `carol publishes, alice is notified: ${change.text}`,
      'ext-05',
      'int-03',
      'int-02',
      'ext-05',
    );
    if (first.text !== 'open' || change.text !== 'open in a meeting')
      throw unexpected('another presence was shown');
    await watching.end();
    await shown.withdraw();
  }

  async #fetchCredentials(): Promise<void> {
    const { narrator, plan } = this.#options;
    narrator.part('Relay credentials');
    for (const actor of this.#actors.values()) {
      if (actor.signIn === undefined) throw new Error(`${actor.person} has not signed in`);
      const relay = await actor.phone.relayCredentials(actor.signIn);
      const expected = actor.person === 'bob' ? plan.names.edge : plan.names.av;
      if (relay.host !== expected) throw unexpected(`${actor.person} was sent to the relay ${relay.host}`);
      actor.relay = relay;
      const rows = actor.person === 'bob' ? ['int-05'] : ['ext-05', 'int-03', 'int-05'];
      narrator.step(
        `${actor.person}: SERVICE answered with credentials for ${relay.host} UDP ${relay.port}`,
        ...rows,
      );
    }
  }

  async #callAndCount(from: Person, to: Person): Promise<void> {
    const { narrator, plan, callMs = CALL_MS } = this.#options;
    narrator.part(`${from} calls ${to}`);
    const [caller, callee] = [this.#actor(from), this.#actor(to)];
    const before = await this.#relayed();
    const path = await this.#openPath(from);
    const call = await this.#dial(caller, callee, path);
    narrator.step(`${to} answered; media meets relay to relay inside the A/V Edge`, ...mediaRows(to));
    const [mine, theirs] = await this.#talk(caller, callee, callMs);
    await call.hangUp();
    narrator.step(`${from} hung up: BYE, 200`, ...signallingRows(to));
    for (const actor of [caller, callee]) await actor.path?.close();
    const relayed = (await this.#relayed()) - before;
    report(narrator, from, mine);
    report(narrator, to, theirs);
    const carried = mine.received + theirs.received;
    narrator.step(
      `the relay counts ${relayed} datagrams for the call, both ends received ${carried}`,
      ...mediaRows(to),
    );
    if (relayed !== mine.sent + theirs.sent) {
      throw unexpected(
        `sent ${mine.sent + theirs.sent} datagrams, but the relay on ${plan.names.av} counts ${relayed}`,
      );
    }
  }

  async #dial(caller: Actor, callee: Actor, path: RelayedPath): Promise<Call> {
    const { narrator } = this.#options;
    let rang = false;
    const call = await caller.phone.call(callee.phone.address, { path }, () => {
      rang = true;
      narrator.step(
        `INVITE from ${caller.person}; ${callee.person}'s phone rings`,
        ...signallingRows(callee.person),
      );
    });
    if (!rang) throw unexpected(`${callee.person}'s phone did not ring`);
    return call;
  }

  async #talk(caller: Actor, callee: Actor, callMs: number): Promise<[AudioStatistics, AudioStatistics]> {
    const streams = [stream(caller, callee.person), stream(callee, caller.person)] as const;
    for (const one of streams) one.start();
    await pause(callMs);
    for (const one of streams) one.stop();
    const [mine, theirs] = await settled(...streams);
    verify(mine, theirs);
    verify(theirs, mine);
    return [mine, theirs];
  }

  async #openPath(person: Person): Promise<RelayedPath> {
    const { plan } = this.#options;
    const actor = this.#actor(person);
    if (actor.relay === undefined) throw unexpected(`${person} has no relay credentials`);
    const path = await RelayedPath.open({
      clock,
      random,
      server: actor.relay,
      localAddress: plan.clients[person],
    });
    actor.path = path;
    return path;
  }

  /** Datagrams that the relay has switched between two of its own allocations so far. */
  async #relayed(): Promise<number> {
    const counters = (await this.#options.edge.ask('av', 'counters')) as {
      relayed?: { switchedPackets?: number };
    };
    const switched = counters.relayed?.switchedPackets;
    if (typeof switched !== 'number') throw unexpected('the A/V Edge gave no count of switched datagrams');
    return switched;
  }

  #actor(person: Person): Actor {
    const actor = this.#actors.get(person);
    if (actor === undefined) throw new Error(`${person} is not on stage`);
    return actor;
  }
}

function stream(actor: Actor, listensTo: Person): AudioStream {
  const { path } = actor;
  if (path === undefined) throw unexpected(`${actor.person} has no media`);
  actor.stream = new AudioStream({
    clock,
    random,
    path,
    tone: TONES[actor.person],
    expect: TONES[listensTo],
  });
  return actor.stream;
}

/** Both sides' accounts, once all that was sent has arrived, or has had its time. */
async function settled(one: AudioStream, other: AudioStream): Promise<[AudioStatistics, AudioStatistics]> {
  const deadline = clock.now() + SETTLE_MS;
  for (;;) {
    const [mine, theirs] = [one.statistics(), other.statistics()];
    const complete = mine.received >= theirs.sent && theirs.received >= mine.sent;
    if (complete || clock.now() > deadline) return [mine, theirs];
    await pause(20);
  }
}

function verify(heard: AudioStatistics, played: AudioStatistics): void {
  if (heard.received !== played.sent)
    throw unexpected(`${played.sent} packets were sent, ${heard.received} arrived`);
  if (heard.tone < 0.9) throw unexpected('what was heard is not what was played');
}

function report(narrator: Narrator, person: Person, { sent, received, lost }: AudioStatistics): void {
  narrator.step(`${person}: ${sent} packets sent, ${received} received, ${lost} lost`);
}

/** Rows of a request from alice, outside. */
function signallingRows(to: Person): string[] {
  return to === 'bob' ? ['ext-05', 'int-03'] : ['ext-05', 'int-03', 'int-02', 'ext-05'];
}

function mediaRows(to: Person): string[] {
  return to === 'bob' ? ['ext-14', 'int-06'] : ['ext-14'];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function unexpected(what: string): FailureError {
  return new FailureError(failure('SLP-APP-0009', what));
}
