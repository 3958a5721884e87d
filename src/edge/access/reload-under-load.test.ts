import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import type { SipRequest } from '#protocols/sip';
import { PARTNER, TestNames, TestPartner } from './federation/testing/partners.ts';
import { AccessLab } from './testing/lab.ts';
import type { SipPeer } from './testing/sip-peer.ts';
import { type Organisation, Traffic } from './testing/traffic.ts';

const CONNECTIONS = 2000;
const CALLS = 200;
/** Answers of each kind of traffic between one reload and the next. */
const BETWEEN = 50;

const SECOND = { domain: 'second.example', proxy: 'sip.second.example', address: '127.0.9.42' };
const UNDER_WAY = 20;
const FLOWS = ['client to client', 'client to partner', 'partner to client', 'call'];
/** To the partner that comes and goes: while it is none, these are refused. */
const TO_SECOND = 'client to one who is no partner';

const listed = (
  { domain, proxy }: Organisation['name'],
  verification: 'use-source' | 'always-verifiable',
) => ({
  domain,
  proxy,
  verification,
});

function partnersInDns(): TestNames {
  const names = new TestNames();
  for (const { proxy, address } of [PARTNER, SECOND]) names.hosts.set(proxy, [address]);
  return names;
}

function documentOf({ host, policy }: EdgeDocument): void {
  host.partnerCa = host.internalCa;
  policy.features.federation = true;
  policy.federation.allowedNetworks = ['127.0.9.40/29'];
  policy.federation.allowed = [listed(PARTNER, 'use-source'), listed(SECOND, 'use-source')];
  policy.revocation.shortLivedDays = 10_000;
  // One process plays everybody and has more to do than the edge: no load is to be shed for that.
  const patient = { connections: 5000, connectionsPerSource: 5000, overloadMs: 10_000, handshakeSeconds: 60 };
  Object.assign(policy.limits.access, patient);
  policy.limits.access.preSignIn.seconds = 600;
}

/** Everybody, with two hundred calls up and all kinds of traffic going. */
class Play {
  readonly lab: AccessLab;
  readonly #labs: readonly AccessLab[];
  readonly traffic: Traffic;
  readonly second: Organisation;

  private constructor(labs: readonly AccessLab[], traffic: Traffic, second: Organisation) {
    this.lab = labs[0] ?? assert.fail('no lab');
    this.#labs = labs;
    this.traffic = traffic;
    this.second = second;
  }
  static async start(
    t: TestContext,
    labs: readonly AccessLab[],
    connections: readonly SipPeer[],
  ): Promise<Play> {
    const traffic = new Traffic(labs, connections);
    await traffic.arrive(CONNECTIONS);
    const partner = await traffic.partner(t, PARTNER);
    const play = new Play(labs, traffic, await traffic.partner(t, SECOND));
    await traffic.setUpCalls(CALLS, partner);
    traffic.start(partner);
    const [writer] = traffic.clients.map(({ agent }) => agent);
    const { address } = play.second.agent.options;
    traffic.keepsAsking(4, async () => writer?.ask(TO_SECOND, 'MESSAGE', address));
    await traffic.ledger.moves(FLOWS, BETWEEN);
    return play;
  }

  /** @param rounds how often each kind of change is made */
  async reloads(rounds: number): Promise<void> {
    const steps = [this.certificates, this.authorities, this.partners, this.limits];
    for (let round = 0; round < rounds; round++) for (const step of steps) await step.call(this);
    await this.traffic.stop();
    await this.traffic.hangUp();
    this.traffic.ledger.balances(new Set([TO_SECOND]));
    const closed = this.traffic.clients.filter(
      ({ peer: { socket } }) => socket.destroyed || !socket.writable,
    );
    assert.equal(closed.length, 0, 'no connection was closed');
    assert.ok(this.traffic.keptAlive > 0);
  }

  async certificates(): Promise<void> {
    const { authority, document } = this.lab;
    const shown = (peer: SipPeer | undefined) => peer?.socket.getPeerCertificate().fingerprint256;
    await this.lab.issueExternal();
    const { host } = document;
    await authority.issueTo(host.certificates.internal, { name: 'edge', hosts: [host.name] });
    await this.#commit();
    const newcomer = await this.lab.client();
    assert.notEqual(shown(newcomer), shown(this.traffic.clients[0]?.peer));
    newcomer.ends();
  }

  /** Whom a further authority vouches for is let in, and goes with it. */
  async authorities(): Promise<void> {
    const { authority, document, folder } = this.lab;
    const { host } = document;
    const before = { partnerCa: host.partnerCa, internalCa: host.internalCa };
    const other = await LabAuthority.create({ name: 'Another authority' });
    const both = join(folder, 'both.pem');
    await writeFile(both, `${authority.certificatePem}${other.certificatePem}`);
    Object.assign(host, { partnerCa: both, internalCa: both });
    await this.#commit();
    const stranger = await TestPartner.create({ after: () => {} }, { authority: other });
    const peer = await stranger.dials(this.lab, PARTNER.address, authority);
    peer.sends('\r\n\r\n');
    await peer.receivesPong();
    Object.assign(host, before);
    await this.#commit();
    await peer.isClosed();
  }

  /** One of two partners is taken from the list and put on it again; what is under way with it is brought to its end. */
  async partners(): Promise<void> {
    const { federation } = this.lab.document.policy;
    const { agent, name } = this.second;
    const people = this.traffic.clients.slice(1, 1 + UNDER_WAY).map((client) => client.agent);
    const ofSecond = (received: SipRequest) => received.header('From')?.includes(name.domain) === true;
    agent.holds = () => true;
    for (const person of people) person.holds = ofSecond;
    const { address } = agent.options;
    const inward = people.map((person) => agent.ask('second to client', 'MESSAGE', person.options.address));
    const outward = people.map((person) => person.ask('client to second', 'MESSAGE', address));
    await until(() => people.every(({ held }) => held > 0) && agent.held >= UNDER_WAY);
    federation.allowed = [listed(PARTNER, 'always-verifiable')];
    await this.#commit();
    const refused = await people[0]?.ask(TO_SECOND, 'MESSAGE', address);
    assert.ok(refused !== undefined && refused.status >= 400);
    for (const one of [agent, ...people]) one.release();
    for (const { status } of await Promise.all([...inward, ...outward])) assert.equal(status, 200);
    await until(() => this.second.partner.connected === 0);
    federation.allowed = [listed(SECOND, 'use-source'), listed(PARTNER, 'use-source')];
    await this.#commit();
    await this.second.dials();
    assert.equal((await people[0]?.ask('client to second', 'MESSAGE', address))?.status, 200);
  }

  /** Far below what is in use, and back: what is there stays and goes on, only newcomers notice. */
  async limits(): Promise<void> {
    const { policy } = this.lab.document;
    const { access } = policy.limits;
    const { federation } = policy;
    const before = structuredClone({ access, federation });
    Object.assign(access, { connections: 10, connectionsPerSource: 1, handshakes: 4, messageBytes: 16_384 });
    Object.assign(federation.limits, { connections: 2, connectionsPerSource: 1 });
    federation.connectionsPerPartner = 1;
    await until(async () => (await this.#connectionsToPartner()) > 1);
    await this.#commit();
    await until(async () => (await this.#connectionsToPartner()) === 1);
    await assert.rejects(this.lab.client());
    await this.traffic.ledger.moves(FLOWS, BETWEEN);
    Object.assign(access, before.access);
    Object.assign(federation, { connectionsPerPartner: 4, limits: before.federation.limits });
    await this.#commit();
    (await this.lab.client()).ends();
  }

  /** Those that the edge opened. */
  async #connectionsToPartner(): Promise<number> {
    const told = (await this.lab.service.verbs['federation-partners']?.({})) as
      | { partners: { domain: string; connections: number }[] }
      | undefined;
    return told?.partners.find(({ domain }) => domain === PARTNER.domain)?.connections ?? 0;
  }

  /** Every worker has the document, amid all kinds of traffic. */
  async #commit(): Promise<void> {
    await Promise.all(this.#labs.map((lab) => lab.commit()));
    await this.traffic.ledger.moves(FLOWS, BETWEEN);
  }
}

test('certificates, partner lists and limits change while 200 calls and 2,000 connections stay up: not one message is lost', async (t) => {
  const lab = await AccessLab.start(t, { names: partnersInDns(), change: documentOf });
  const play = await Play.start(t, [lab], [await lab.frontEnds[0].connection()]);
  await play.reloads(2);
});

test('the same with two workers, over both of which everybody is spread', async (t) => {
  const labs = await AccessLab.startTeam(t, { names: partnersInDns(), change: documentOf });
  const [frontEnd] = labs[0].frontEnds;
  const play = await Play.start(t, labs, [await frontEnd.connection(), await frontEnd.connection()]);
  await play.reloads(1);
});
