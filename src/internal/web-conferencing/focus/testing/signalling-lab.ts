import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { SystemClock, SystemRandom, until } from '#kernel';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import type { EdgeDocument, InternalDocument } from '#platform/topology';
import type { Place } from '#protocols/conference';
import { SipAgent } from '#protocols/sip-agent';
import { conferenceSigningKey } from '#protocols/tokens';
import { AccessLab } from '../../../../edge/access/testing/lab.ts';
import { PARTNER, TestNames } from '../../../../edge/access/testing/partners.ts';
import { ClientLine, type LineOptions } from '../../../front-end/testing/client-line.ts';
import { LiveFrontEnd } from '../../../front-end/testing/live-front-end.ts';
import type { ConferenceRecord } from '../../meeting/records.ts';
import { Meetings, type NewMeeting } from '../../meetings.ts';
import { service } from '../../service.ts';
import { settingsOf } from '../../settings.ts';
import { ConferenceStore } from '../../store/conference-store.ts';
import { withoutFiles } from '../../testing/no-files.ts';
import { Tokens } from '../../tokens.ts';
import { focusMetrics } from '../focus-metrics.ts';
import { FocusSide } from '../focus-side.ts';

export const DOMAIN = 'conf.example.com';
export const PAGE = 'https://conf.example.com';
const NODE = 'fe1.corp.example';
const NODE_ADDRESS = '127.0.9.33';
const OUTSIDE: Place = { webSocket: 'wss://conf.example.com/psom', host: DOMAIN, port: 443 };
const INSIDE: Place = { webSocket: `wss://${NODE}:5443/psom`, host: NODE, port: 5443 };

type Change = Readonly<Record<string, unknown>>;

/** An Access Edge, a front end and the focus with real meetings, on loopback: what joining passes through. */
export class SignallingLab {
  readonly edge: AccessLab;
  readonly frontEnd: LiveFrontEnd;
  readonly meetings: Meetings;
  readonly focus: FocusSide;
  readonly metrics: Metrics;
  readonly #cleanUp: () => Promise<void>;

  private constructor(
    parts: Pick<SignallingLab, 'edge' | 'frontEnd' | 'meetings' | 'focus' | 'metrics'>,
    cleanUp: () => Promise<void>,
  ) {
    this.edge = parts.edge;
    this.frontEnd = parts.frontEnd;
    this.meetings = parts.meetings;
    this.focus = parts.focus;
    this.metrics = parts.metrics;
    this.#cleanUp = cleanUp;
  }

  static async start(): Promise<SignallingLab> {
    const edge = await startEdge();
    const frontEnd = await startFrontEnd(edge);
    edge.document.policy.nextHop.members = [
      { name: NODE, address: NODE_ADDRESS, port: frontEnd.port, domains: [] },
    ];
    await edge.commit();
    const clock = new SystemClock();
    const random = new SystemRandom();
    const [log, metrics] = [memoryLog(), new Metrics()];
    const settings = settingsOf(frontEnd.document);
    const store = ConferenceStore.open(':memory:');
    assert.ok(settings !== undefined && store.ok);
    const signing = conferenceSigningKey(random.bytes(32));
    const tokens = new Tokens({ current: signing, all: [signing] }, NODE, random);
    const meetings = new Meetings({
      clock,
      random,
      log,
      store: store.value,
      tokens,
      settings,
      ...withoutFiles(),
    });
    const events = new EventRing(clock, { items: 1000, bytes: 1 << 20 });
    const sockets = { plan: () => [], tcp: () => assert.fail(), udp: () => assert.fail() };
    const context = { clock, random, log, metrics, events, sockets };
    const focus = new FocusSide(context, focusMetrics(metrics), prepared(frontEnd), meetings, (outside) =>
      outside ? [OUTSIDE] : [INSIDE],
    );
    const lab = new SignallingLab({ edge, frontEnd, meetings, focus, metrics }, async () => {
      focus.stop();
      store.value.close();
      await frontEnd.stop();
      await edge.stop();
    });
    await lab.untilReady();
    return lab;
  }
  /** The service as it runs, in the place of the lab's own focus. */
  async service(): Promise<Service<InternalDocument>> {
    this.focus.stop();
    const clock = new SystemClock();
    const made = service.create({
      ...{ clock, random: new SystemRandom(), log: memoryLog(), metrics: new Metrics() },
      events: new EventRing(clock, { items: 100, bytes: 1 << 20 }),
      sockets: { plan: () => [], tcp: () => assert.fail(), udp: () => assert.fail() },
    });
    const provision = await made.provision(this.frontEnd.document);
    assert.ok(provision.ok, JSON.stringify(provision));
    await provision.value.commit();
    await until(() => made.health().detail.includes('1 of 1 next hops'));
    return made;
  }
  stop(): Promise<void> {
    return this.#cleanUp();
  }

  /** Another `webConferencing`, and more of the front end's part. */
  async configure(webConferencing: Change = {}, frontEnd: Change = {}): Promise<void> {
    await this.frontEnd.configure(
      { ...usual, ...frontEnd },
      { webConferencing: { domain: DOMAIN, ...webConferencing } },
    );
    this.focus.adopt(prepared(this.frontEnd));
  }
  async untilReady(): Promise<void> {
    await until(() => this.focus.nextHops().some(({ state }) => state === 'healthy'));
  }

  create(change: Partial<NewMeeting> = {}): Readonly<ConferenceRecord> {
    const made = this.meetings.create({
      ...{ title: 'Budget', organizer: 'alice@example.com', presenters: [], guests: true, federated: true },
      ...change,
    });
    assert.ok(made.ok);
    return made.value;
  }
  meeting(id: string) {
    const meeting = this.meetings.open(id);
    assert.ok(meeting !== undefined);
    return meeting;
  }

  /** @param from each source of its own, for the edge counts what it gets wrong */
  outside(from: string): Promise<ClientLine> {
    return ClientLine.tls(this.#outside(from));
  }
  outsideByWebSocket(from: string, origin?: string): Promise<ClientLine> {
    return ClientLine.openWebSocket({ ...this.#outside(from), ...(origin === undefined ? {} : { origin }) });
  }
  /** The user agent of our own client, over WebSocket. */
  async agent(from: string, origin: string) {
    const { host, port, ...tls } = this.#outside(from);
    const socket = new WebSocket(`wss://${host}:${port}/`, ['sip'], { ...tls, origin });
    const client = {
      ended: undefined as number | undefined,
      agent: new SipAgent({
        random: new SystemRandom(),
        transport: 'WSS',
        onOutput: () => flush(),
        onBye: (cause) => {
          client.ended = cause;
        },
      }),
      close: () => socket.terminate(),
    };
    const flush = () => {
      for (const bytes of client.agent.takeOutput()) socket.send(bytes, { binary: false });
    };
    socket.on('message', (data) => {
      assert.ok(client.agent.handleBytes(data as Buffer, 0));
      flush();
    });
    await once(socket, 'open');
    return client;
  }
  inside(): Promise<ClientLine> {
    const { authority } = this.edge;
    const { pagePort: port } = this.frontEnd;
    return ClientLine.openWebSocket({
      ...{ host: NODE_ADDRESS, port, servername: NODE, ca: authority.certificatePem, origin: PAGE },
    });
  }
  #outside(localAddress: string): LineOptions {
    const { authority, externalPort } = this.edge;
    return {
      ...{ host: '127.0.9.10', port: externalPort, servername: 'sip.example.com' },
      ...{ ca: authority.certificatePem, localAddress },
    };
  }
}

async function startEdge(): Promise<AccessLab> {
  const names = new TestNames();
  names.hosts.set(PARTNER.proxy, [PARTNER.address]);
  const change = ({ host, policy }: EdgeDocument) => {
    policy.sipDomains = ['example.com', DOMAIN];
    Object.assign(policy.remoteAccess.guests, { allowed: true, conferenceDomains: [DOMAIN] });
    Object.assign(policy.remoteAccess.webSocket, { enabled: true, origins: [PAGE] });
    Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 1, failuresPerSource: 8 });
    host.partnerCa = host.internalCa;
    policy.features.federation = true;
    policy.federation.allowedNetworks = ['127.0.9.40/29'];
    policy.federation.allowed = [
      { domain: PARTNER.domain, proxy: PARTNER.proxy, verification: 'use-source' },
    ];
    policy.revocation.shortLivedDays = 10_000;
  };
  return AccessLab.start({ after: () => {} }, { listening: false, names, change });
}

/** One host is two peers: a gateway, which is not there, and the conferences. */
const usual: Change = {
  webSocket: { enabled: true, origins: [PAGE] },
  trustedPeers: [
    { name: NODE, domains: ['xmpp.example'] },
    { name: NODE, domains: [DOMAIN], conferences: true },
  ],
};

async function startFrontEnd(edge: AccessLab): Promise<LiveFrontEnd> {
  const folder = join(edge.folder, 'front-end');
  await mkdir(folder);
  const { name } = edge.document.host;
  const port = edge.document.policy.ports.accessInternal;
  const users = ['alice@example.com', 'carol@example.com', 'dave@example.com'];
  return LiveFrontEnd.start(
    {
      ...{ authority: edge.authority, folder, name: NODE, address: NODE_ADDRESS, users },
      edges: [{ name, address: '127.0.9.20', port }],
    },
    usual,
    { webConferencing: { domain: DOMAIN } },
  );
}

function prepared({ document }: LiveFrontEnd) {
  const credentials = loadCredentials(document.host.certificates.internal, Date.now());
  const trust = loadTrustAnchors(document.host.internalCa);
  assert.ok(credentials.ok && trust.ok);
  return { document, credentials: credentials.value, trust: trust.value };
}
