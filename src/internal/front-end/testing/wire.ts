import assert from 'node:assert/strict';
import { PresenceAgent, type PresenceSettings } from '#internal/presence';
import { ManualClock, ok, SeededRandom } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import { SipEndpoint } from '#platform/sip-endpoint';
import { Metrics, memoryLog } from '#platform/telemetry';
import {
  answerChallenge,
  formatCredentials,
  parseChallenge,
  type SipMessage,
  SipRequest,
  SipResponse,
  SipStreamFramer,
  sipLimits,
} from '#protocols/sip';
import { tokenKey } from '#protocols/tokens';
import { newAccount } from '../accounts.ts';
import { Authenticator } from '../authentication.ts';
import { Directory } from '../directory.ts';
import { EdgeLinks } from '../edge-links.ts';
import { ExternalAccess } from '../external-access.ts';
import { FrontEnd } from '../front-end.ts';
import { frontEndMetrics } from '../front-end-metrics.ts';
import { FlowTokens, newClientParty } from '../parties.ts';
import { PresenceUsers } from '../presence-users.ts';
import { Registrar } from '../registrar.ts';
import type { SignInSettings } from '../sign-in.ts';
import { request } from './messages.ts';

const KEY = new Uint8Array(32).fill(3);
export const EDGE = 'edge1.internal.test';
export const PEER = 'gateway.internal.test';
export const PEER_DOMAIN = 'xmpp.example';
const FOCUS = 'gateway.internal.test conferences';
export const CONFERENCE_DOMAIN = 'conf.example.test';

const PASSWORD = 'correct horse';
type Policies = ConstructorParameters<typeof ExternalAccess>[0];
/** As the document has it by default. */
export const PRESENCE: PresenceSettings = {
  ...{ minExpiresSeconds: 60, maxExpiresSeconds: 36_000, defaultExpiresSeconds: 3600, notifySeconds: 5 },
  ...{ watchersPerUser: 500, subscriptionsPerWatcher: 500, subscriptions: 1000, publicationsPerUser: 10 },
  documentBytes: 16_384,
  approval: { colleagues: 'allow', outsiders: 'confirm' },
};
const EVERYBODY: Policies = {
  global: {
    remote: true,
    federation: false,
    xmpp: false,
    publicProviders: false,
    publicProviderMedia: false,
  },
  sites: [],
  users: [],
};

function settingsWith(access: Policies): SignInSettings {
  return {
    own: { host: '127.0.11.2', port: 5061 },
    around: {
      hosts: new Set(['127.0.11.2']),
      domains: new Set(['example.test']),
      edges: new Map([[EDGE, EDGE]]),
      peers: new Map([
        [PEER_DOMAIN, PEER],
        [CONFERENCE_DOMAIN, FOCUS],
      ]),
      conferences: new Set([CONFERENCE_DOMAIN]),
    },
    mrasEdge: undefined,
    access: new ExternalAccess(access),
  };
}

/** The bytes of a request of `messages.ts`, with a branch of its own. */
export function branched({ bytes }: { bytes: Buffer }, branch: string): Buffer {
  return Buffer.from(bytes.toString().replace('z9hG4bKtest1', `z9hG4bK${branch}`));
}

function credentials(challenge: string, aor: string): string {
  const parsed = parseChallenge(challenge);
  assert.ok(parsed.ok);
  const answer = { username: aor.split('@')[0] ?? '', password: PASSWORD, method: 'REGISTER' };
  return formatCredentials(
    answerChallenge(parsed.value, { ...answer, uri: 'sip:example.test', cnonce: 'c0ffee', nc: 1 }),
  );
}

/** One connection of the front end under test: what comes out of it is kept, what goes in is said by the test. */
export class Wire implements Connection {
  readonly id: number;
  readonly remote = { address: '127.0.11.1', port: 40_000 };
  readonly local = { address: '127.0.11.2', port: 5061 };
  readonly opened = 0;
  readonly tls = undefined;
  readonly lastReceived = 0;
  readonly bytesReceived = 0;
  readonly bytesSent = 0;
  readonly queued = 0;
  idleMs = 0;
  closed = false;
  onData: (chunk: Buffer) => void = () => {};
  onClose: (reason: CloseReason) => void = () => {};
  onDrain: () => void = () => {};
  readonly #framer = new SipStreamFramer(sipLimits);
  readonly #out: SipMessage[] = [];

  constructor(id: number) {
    this.id = id;
  }
  write(bytes: Uint8Array): boolean {
    for (const event of this.#framer.push(Buffer.from(bytes), 0)) {
      if (event.type === 'message') this.#out.push(event.message);
    }
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.closed = true;
  }
  destroy(): void {
    this.closed = true;
  }
  /** The next message that came out, which is a request. */
  request(method: string): SipRequest {
    const message = this.#out.shift();
    assert.ok(message instanceof SipRequest, message?.bytes.toString() ?? 'nothing came out');
    assert.equal(message.method, method);
    return message;
  }
  response(status: number): SipResponse {
    const message = this.#out.shift();
    assert.ok(message instanceof SipResponse, message?.bytes.toString() ?? 'nothing came out');
    assert.equal(message.status, status);
    return message;
  }
  anyResponse(): SipResponse {
    const message = this.#out.shift();
    assert.ok(message instanceof SipResponse, message?.bytes.toString() ?? 'nothing came out');
    return message;
  }
  anything(): SipMessage {
    const message = this.#out.shift();
    assert.ok(message !== undefined, 'nothing came out');
    return message;
  }
  isSilent(): void {
    assert.deepEqual(this.#out, []);
  }
}

let benches = 0;

/** A front end with one edge that it is connected to, and wires as many as the test wants. */
export class Bench {
  readonly clock = new ManualClock();
  /** Each of a test's benches has a chance of its own, as two runs of a program have. */
  readonly random = new SeededRandom(++benches);
  readonly directory: Directory;
  readonly endpoint: SipEndpoint;
  /** The front end's own connection to the edge's Access Edge service. */
  readonly toEdge = new Wire(1);
  readonly toAuthentication = new Wire(2);
  readonly links: EdgeLinks;
  readonly registrar: Registrar;
  readonly presence: PresenceAgent;
  readonly #users: PresenceUsers;
  readonly #tokens = new FlowTokens({ current: tokenKey(KEY) });
  readonly #scheduled: (() => void)[] = [];
  #wires = 10;
  #registers = 0;

  readonly #frontEnd: FrontEnd;

  private constructor(access: Policies, presence: Partial<PresenceSettings>, file: string) {
    const opened = Directory.open(file);
    assert.ok(opened.ok);
    this.directory = opened.value;
    this.directory.forgetFlows();
    const { clock, random, directory } = this;
    const shared = { clock, random, log: memoryLog(), metrics: new Metrics() };
    this.registrar = new Registrar(directory, {
      minExpiresSeconds: 60,
      maxExpiresSeconds: 3600,
      defaultExpiresSeconds: 3600,
      bindingsPerUser: 10,
    });
    this.#users = new PresenceUsers(directory, this.registrar, settingsWith(access).access);
    this.presence = new PresenceAgent(
      { random, store: directory.presence, users: this.#users },
      { ...PRESENCE, ...presence },
      clock.wall(),
    );
    const frontEnd = new FrontEnd(
      {
        ...shared,
        metrics: frontEndMetrics(shared.metrics),
        authenticator: new Authenticator({ accounts: directory, random, key: KEY }),
        registrar: this.registrar,
        tokens: this.#tokens,
        presence: this.presence,
        knows: (aor) => directory.find(aor) !== undefined,
      },
      settingsWith(access),
    );
    this.#frontEnd = frontEnd;
    this.endpoint = new SipEndpoint({
      ...shared,
      name: 'bench',
      user: frontEnd,
      schedule: (task) => this.#scheduled.push(task),
    });
    const target = { name: EDGE, address: '127.0.11.3', port: 5061, avAuthenticationPort: 5062 };
    const dial = async ({ port }: { port: number }) =>
      ok(port === 5061 ? this.toEdge : this.toAuthentication);
    this.links = new EdgeLinks({ ...shared, endpoint: this.endpoint, edges: [target], dial });
    frontEnd.attach(this.endpoint, this.links);
    this.links.start();
  }
  /** @param access policies of users; everybody may be outside when there are none */
  static async start(
    access: Policies = EVERYBODY,
    presence: Partial<PresenceSettings> = {},
    file = ':memory:',
  ): Promise<Bench> {
    const bench = new Bench(access, presence, file);
    while (bench.endpoint.flowCount < 2) await new Promise((resolve) => setImmediate(resolve));
    return bench;
  }

  stop(): void {
    this.#frontEnd.stop();
  }
  configure(access: Policies, presence: Partial<PresenceSettings> = {}): void {
    this.#users.configure(settingsWith(access).access);
    this.presence.configure({ ...PRESENCE, ...presence });
    this.#frontEnd.configure(settingsWith(access));
  }

  /** Registers with the right password and gives the final status. */
  signsIn(
    wire: Wire,
    aor: string,
    contact = `sip:${aor}`,
    callId = `${aor} ${contact}`.replaceAll(/[ :;=]/g, '-'),
  ): number {
    const account = newAccount({ address: aor, password: PASSWORD }, ['example.test']);
    assert.ok(account.ok);
    this.directory.save(account.value);
    const headers: [string, string][] = [
      ['Contact', `<${contact}>`],
      ['Path', `<sip:token@${EDGE}:5061;transport=tls;lr>`],
    ];
    const ask = (cseq: number, more: [string, string][]) =>
      request({ from: `sip:${aor}`, callId, cseq, headers: [...headers, ...more] });
    this.arrives(wire, branched(ask(1, []), `reg${++this.#registers}`));
    const challenge = wire.response(401).header('WWW-Authenticate') ?? '';
    this.arrives(
      wire,
      branched(ask(2, [['Authorization', credentials(challenge, aor)]]), `reg${++this.#registers}`),
    );
    return wire.anyResponse().status;
  }

  /** A connection that the edge opened. */
  edge(): Wire {
    const wire = new Wire(++this.#wires);
    this.endpoint.addFlow(wire, { data: { kind: 'edge', edge: EDGE }, scope: EDGE });
    return wire;
  }
  /** A connection that the trusted peer opened. */
  peer(): Wire {
    const wire = new Wire(++this.#wires);
    this.endpoint.addFlow(wire, { data: { kind: 'peer', peer: PEER, conferences: false }, scope: PEER });
    this.#frontEnd.handleReachable('peer', PEER);
    return wire;
  }
  /** A connection that the focus of the same host opened. */
  focus(): Wire {
    const wire = new Wire(++this.#wires);
    this.endpoint.addFlow(wire, { data: { kind: 'peer', peer: FOCUS, conferences: true }, scope: FOCUS });
    return wire;
  }
  /** A client of the internal network, with the token that names its connection in routes. */
  client(): { readonly wire: Wire; readonly token: string } {
    const wire = new Wire(++this.#wires);
    const party = newClientParty(this.random);
    const flow = this.endpoint.addFlow(wire, { data: party });
    assert.ok(flow !== undefined);
    return { wire, token: this.#tokens.tokenFor(flow, party) };
  }
  /** Octets arrive, and everything that follows from them leaves. */
  arrives(wire: Wire, bytes: Buffer): void {
    wire.onData(bytes);
    this.settle();
  }
  /** Time passes, and everything that falls due leaves. */
  passes(seconds: number): void {
    this.clock.advance(seconds * 1000);
    this.settle();
  }
  /** Whatever was written leaves. */
  settle(): void {
    this.clock.advance(0);
    for (let task = this.#scheduled.shift(); task !== undefined; task = this.#scheduled.shift()) task();
  }
}
