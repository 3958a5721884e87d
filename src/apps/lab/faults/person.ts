import {
  AudioStream,
  type Call,
  Phone,
  type PhoneOptions,
  RelayedPath,
  type RelayServer,
  type SignIn,
} from '#apps/softphone';
import { SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import type { Account } from '../lab-plan.ts';
import type { Perimeter } from '../testing/perimeter.ts';
import { until } from './until.ts';

const clock = new SystemClock();
const random = new SystemRandom();
const TONE = 440;
/** Half a second of audio. */
const FLOWING_PACKETS = 25;

/** Somebody of the perimeter's, with a phone: bob inside, everybody else outside. */
export class Person {
  readonly perimeter: Perimeter;
  readonly user: string;
  readonly password: string;
  readonly inbox: { readonly from: string; readonly text: string }[] = [];
  phone!: Phone;
  /** Called when the phone has a message and its 200 has not left this machine's memory yet. */
  onRead: ((text: string) => void) | undefined;
  relay: (RelayServer & { readonly host: string }) | undefined;
  /** Media of the calls that were answered here, the newest last. */
  readonly answered: RelayedPath[] = [];
  readonly #paths: RelayedPath[] = [];
  readonly #onTyping: PhoneOptions['onTyping'];

  /** @param onTyping without it typing is refused, as by most phones */
  constructor(perimeter: Perimeter, user: string, password?: string, onTyping?: PhoneOptions['onTyping']) {
    this.#onTyping = onTyping;
    this.perimeter = perimeter;
    this.user = user;
    this.password = password ?? perimeter.secrets.passwords[user as Account];
  }
  /** Connected, signed in, and with relay credentials. */
  static async arrive(perimeter: Perimeter, user: string): Promise<Person> {
    const person = new Person(perimeter, user);
    await person.connect();
    await person.obtainRelay();
    return person;
  }

  get address(): string {
    return `sip:${this.user}@${this.perimeter.plan.domain}`;
  }
  get localAddress(): string {
    const { clients } = this.perimeter.plan;
    return this.user === 'bob' ? clients.bob : this.user === 'carol' ? clients.carol : clients.alice;
  }

  /** A new connection and a sign-in on it. */
  async connect(): Promise<SignIn> {
    this.phone?.close();
    this.phone = await Phone.connect(this.#phoneOptions());
    return this.phone.signIn();
  }
  async obtainRelay(): Promise<void> {
    this.relay = await this.phone.relayCredentials(await this.phone.signIn());
  }
  async openPath(): Promise<RelayedPath> {
    if (this.relay === undefined) throw new Error(`${this.user} has no relay credentials`);
    const { localAddress } = this;
    const path = await RelayedPath.open({ clock, random, server: this.relay, localAddress });
    this.#paths.push(path);
    return path;
  }
  /** Calls, and talks with audio both ways. */
  async call(other: Person): Promise<Conversation> {
    const path = await this.openPath();
    const call = await this.phone.call(other.address, { path }, () => {});
    const theirs = other.answered.at(-1);
    if (theirs === undefined) throw new Error(`${other.user} did not answer`);
    return new Conversation(call, path, theirs);
  }
  /** A message there, and that it came. */
  async write(other: Person, text: string): Promise<void> {
    await this.phone.message(other.address, text);
    await until(`${other.user} reads "${text}"`, () => other.inbox.some((one) => one.text === text));
  }
  async leave(): Promise<void> {
    this.phone?.close();
    // The relay may be gone, and nobody has to wait for its answer.
    await Promise.allSettled(this.#paths.map((path) => path.close()));
  }

  #phoneOptions(): PhoneOptions {
    const { plan, files } = this.perimeter;
    const outside = this.user !== 'bob';
    const trust = loadTrustAnchors(files.authority);
    if (!trust.ok) throw new Error(trust.error.message);
    return {
      clock,
      random,
      identity: { address: this.address, password: this.password },
      server: outside
        ? { ...plan.access, name: plan.names.access }
        : { ...plan.frontEnd, name: plan.names.frontEnd },
      localAddress: this.localAddress,
      trust: trust.value,
      hosts: new Map([
        [plan.names.av, plan.av.address],
        [plan.names.edge, plan.internal.address],
      ]),
      onMessage: (from, text) => {
        this.inbox.push({ from, text });
        this.onRead?.(text);
      },
      ...(this.#onTyping === undefined ? {} : { onTyping: this.#onTyping }),
      onCall: async () => {
        const path = await this.openPath();
        this.answered.push(path);
        return { path };
      },
    };
  }
}

/** A call with audio both ways, from its answer to its end. */
export class Conversation {
  readonly call: Call;
  readonly #streams: readonly [AudioStream, AudioStream];
  readonly #paths: readonly RelayedPath[];

  constructor(call: Call, mine: RelayedPath, theirs: RelayedPath) {
    this.call = call;
    this.#paths = [mine, theirs];
    const stream = (path: RelayedPath) => new AudioStream({ clock, random, path, tone: TONE, expect: TONE });
    this.#streams = [stream(mine), stream(theirs)];
    for (const one of this.#streams) one.start();
  }
  /** Audio that was sent from now on arrives, in both directions. */
  async flows(): Promise<void> {
    const goals = this.#streams.map((stream) => stream.statistics().received + FLOWING_PACKETS);
    await until('audio arrives at both ends', () =>
      this.#streams.every((stream, index) => stream.statistics().received >= (goals[index] ?? 0)),
    );
  }
  /** Packets missing between the first and the last that arrived, at both ends together. */
  get lost(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.statistics().lost, 0);
  }
  /** No more audio; the call itself is left as it is. */
  silence(): void {
    for (const one of this.#streams) one.stop();
  }
  async hangUp(): Promise<void> {
    this.silence();
    await this.call.hangUp();
    for (const path of this.#paths) await path.close();
  }
}
