import {
  type AudioStatistics,
  AudioStream,
  type Call,
  Phone,
  RelayedPath,
  type RelayServer,
  type SignIn,
} from '#apps/softphone';
import { FailureError, SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import type { Person } from '../lab-plan.ts';
import { Arrivals } from './arrivals.ts';
import type { Perimeter } from './perimeter.ts';

const clock = new SystemClock();
const random = new SystemRandom();

export interface SoftphoneUserOptions {
  readonly perimeter: Perimeter;
  readonly person: Person;
  readonly password?: string;
  /** What this user plays, in hertz. */
  readonly tone: number;
}

/** A call that rings here. */
export interface Ringing {
  readonly from: string;
  answer(): Promise<void>;
}

interface Inbox {
  readonly messages: Arrivals<{ from: string; text: string }>;
  readonly ringing: Arrivals<Ringing>;
}

/** A user outside with our own softphone, who verifies the edge's certificate and listens to what is played. */
export class SoftphoneUser {
  readonly phone: Phone;
  readonly messages: Arrivals<{ readonly from: string; readonly text: string }>;
  readonly ringing: Arrivals<Ringing>;
  readonly #options: SoftphoneUserOptions;
  #signIn: SignIn | undefined;
  #relay: RelayServer | undefined;
  #path: RelayedPath | undefined;
  #stream: AudioStream | undefined;

  private constructor(options: SoftphoneUserOptions, phone: Phone, inbox: Inbox) {
    this.#options = options;
    this.phone = phone;
    this.messages = inbox.messages;
    this.ringing = inbox.ringing;
  }

  /** Opens the TLS connection, no more. */
  static async connect(options: SoftphoneUserOptions): Promise<SoftphoneUser> {
    const { plan, secrets, files } = options.perimeter;
    const { person, password = secrets.passwords[person] } = options;
    const trust = loadTrustAnchors(files.authority);
    if (!trust.ok) throw new FailureError(trust.error);
    const inbox: Inbox = {
      messages: new Arrivals(`a message for ${person}`),
      ringing: new Arrivals(`a call for ${person}`),
    };
    let user: SoftphoneUser | undefined;
    const phone = await Phone.connect({
      clock,
      random,
      identity: { address: `sip:${person}@${plan.domain}`, password },
      server: { ...plan.access, name: plan.names.access },
      localAddress: plan.clients[person],
      trust: trust.value,
      hosts: new Map([[plan.names.av, plan.av.address]]),
      onMessage: (from, text) => inbox.messages.put({ from, text }),
      onCall: (from) =>
        new Promise((resolve) => {
          const answer = async () => resolve(user === undefined ? 480 : { path: await user.#openPath() });
          inbox.ringing.put({ from, answer });
        }),
    });
    user = new SoftphoneUser(options, phone, inbox);
    return user;
  }

  async signIn(): Promise<SignIn> {
    this.#signIn = await this.phone.signIn();
    return this.#signIn;
  }
  /** Relay credentials by SERVICE, from the A/V Authentication service. */
  async fetchRelayCredentials(): Promise<RelayServer & { readonly host: string }> {
    if (this.#signIn === undefined) throw new Error('not signed in');
    const relay = await this.phone.relayCredentials(this.#signIn);
    this.#relay = relay;
    return relay;
  }

  async call(to: string): Promise<Call> {
    const path = await this.#openPath();
    return this.phone.call(to, { path }, () => {});
  }
  /** Plays, and listens for the tone of the other, in hertz. */
  startAudio(expect: number): void {
    if (this.#path === undefined) throw new Error('no call');
    const { tone } = this.#options;
    this.#stream = new AudioStream({ clock, random, path: this.#path, tone, expect });
    this.#stream.start();
  }
  stopAudio(): void {
    this.#stream?.stop();
  }
  audio(): AudioStatistics {
    if (this.#stream === undefined) throw new Error('no audio');
    return this.#stream.statistics();
  }
  /** Gives the allocation back. */
  async closePath(): Promise<void> {
    await this.#path?.close();
    this.#path = undefined;
  }
  async close(): Promise<void> {
    this.#stream?.stop();
    await this.closePath();
    this.phone.close();
  }

  async #openPath(): Promise<RelayedPath> {
    if (this.#relay === undefined) throw new Error('no relay credentials');
    const localAddress = this.#options.perimeter.plan.clients[this.#options.person];
    this.#path = await RelayedPath.open({ clock, random, server: this.#relay, localAddress });
    return this.#path;
  }
}
