import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { TestPartner } from '../federation/testing/partners.ts';
import { TestAgent } from './agent.ts';
import { InsideProxy } from './inside-proxy.ts';
import type { AccessLab } from './lab.ts';
import { Ledger } from './ledger.ts';
import { contactOf } from './plays.ts';
import type { SipPeer } from './sip-peer.ts';

/** Connections that are opened, signed in or pinged side by side. */
const AT_ONCE = 50;

export interface Organisation {
  readonly agent: TestAgent;
  readonly partner: TestPartner;
  readonly name: { readonly domain: string; readonly proxy: string; readonly address: string };
  /** Connects with each lab, in place of the connections it had. */
  dials(): Promise<void>;
}
interface Call {
  readonly callId: string;
  readonly ends: readonly [TestAgent, TestAgent];
}

/** Who has to do with an edge of one or more workers: its clients, the inside, partners; and what they do, over and over. */
export class Traffic {
  readonly ledger = new Ledger();
  readonly clients: { readonly agent: TestAgent; readonly peer: SipPeer }[] = [];
  readonly calls: Call[] = [];
  readonly proxy: InsideProxy;
  readonly inside: TestAgent;
  /** Rounds of keep-alives in which every connection was answered. */
  keptAlive = 0;
  readonly #labs: readonly AccessLab[];
  readonly #lanes: Promise<void>[] = [];
  #over = false;
  #newcomers = 0;

  /** @param connections those of the labs to the next hop */
  constructor(labs: readonly AccessLab[], connections: readonly SipPeer[]) {
    this.#labs = labs;
    this.inside = new TestAgent({
      address: 'sip:insider@example.com',
      contact: 'sip:insider@10.45.32.99:5061;transport=tls',
      sentBy: '10.45.32.99:5061',
      ledger: this.ledger,
      hop: () => this.proxy.fromInside,
    });
    this.proxy = new InsideProxy('example.com', this.inside);
    for (const connection of connections) this.addEdge(connection);
  }
  addEdge(connection: SipPeer): void {
    connection.automaton = (message) => this.proxy.handle(message, connection);
    this.proxy.add(connection);
    connection.socket.once('close', () => this.proxy.remove(connection));
  }

  /** So many people, each with a connection of its own on which it signs in; the labs take turns. */
  async arrive(count: number): Promise<void> {
    while (this.clients.length < count) {
      const first = this.clients.length;
      const size = Math.min(AT_ONCE, count - first);
      await Promise.all(Array.from({ length: size }, (_, index) => this.#signIn(first + index)));
    }
  }
  async #signIn(index: number): Promise<void> {
    const lab = this.#labs[index % this.#labs.length] ?? assert.fail('no lab');
    const peer = await lab.client();
    this.clients[index] = { agent: await this.#introduce(peer, `user${index}`), peer };
  }
  /** One of them connects and signs in again. */
  returns(index: number): Promise<void> {
    return this.#signIn(index);
  }
  /** Somebody who has connected signs in. */
  welcome(peer: SipPeer): Promise<TestAgent> {
    this.#newcomers += 1;
    return this.#introduce(peer, `newcomer${this.#newcomers}`);
  }
  async #introduce(peer: SipPeer, user: string): Promise<TestAgent> {
    const address = `sip:${user}@example.com`;
    const agent = new TestAgent({
      address,
      contact: contactOf(user),
      sentBy: '192.168.1.5:40001',
      ledger: this.ledger,
      hop: () => peer,
    });
    peer.automaton = (message) => agent.handle(message, peer);
    const answer = await agent.ask('sign-in', 'REGISTER', 'sip:example.com', {
      To: `<${address}>`,
      Contact: `<${contactOf(user)}>;reg-id=1;+sip.instance="<urn:uuid:${user}>"`,
      Supported: 'path, outbound',
    });
    assert.equal(answer.status, 200);
    return agent;
  }

  /** An organisation with an edge that listens, and a connection of its own to each of the labs. */
  async partner(t: TestContext, name: Organisation['name']): Promise<Organisation> {
    const [lab] = this.#labs;
    assert.ok(lab !== undefined);
    const partner = await TestPartner.create(t, lab, { hosts: [name.proxy] });
    await partner.listen(name.address);
    const dialled: SipPeer[] = [];
    let turn = 0;
    const agent = new TestAgent({
      address: `sip:bob@${name.domain}`,
      contact: `sip:bob@${name.proxy}:5061;transport=tls`,
      sentBy: `${name.proxy}:5061`,
      ledger: this.ledger,
      hop: () => {
        turn += 1;
        return dialled[turn % dialled.length] ?? assert.fail('not connected');
      },
    });
    const attach = (peer: SipPeer): void => {
      peer.automaton = (message) => agent.handle(message, peer);
    };
    const accept = (peer: SipPeer): void => {
      attach(peer);
      void partner.connection().then(accept);
    };
    void partner.connection().then(accept);
    const dials = async (): Promise<void> => {
      dialled.length = 0;
      for (const one of this.#labs) {
        const peer = await partner.dials(one, name.address);
        attach(peer);
        dialled.push(peer);
      }
    };
    await dials();
    return { agent, partner, name, dials };
  }

  /** So many calls, of four kinds in turn: client and inside, client and partner, each in both directions. */
  async setUpCalls(count: number, { agent: partner }: Organisation): Promise<void> {
    const begin = async (index: number): Promise<void> => {
      const client = this.clients[index]?.agent ?? assert.fail('too few clients');
      const other = index % 4 < 2 ? this.inside : partner;
      const ends = index % 2 === 0 ? ([client, other] as const) : ([other, client] as const);
      const callId = await ends[0].call('call', ends[1].options.address);
      this.calls.push({ callId, ends });
    };
    for (let first = 0; first < count; first += AT_ONCE) {
      const size = Math.min(AT_ONCE, count - first);
      await Promise.all(Array.from({ length: size }, (_, index) => begin(first + index)));
    }
  }

  /** So many at a time ask again as soon as they are answered, until {@link stop}. */
  keepsAsking(lanes: number, ask: (turn: number) => Promise<unknown>): void {
    let turn = 0;
    const lane = async (): Promise<void> => {
      while (!this.#over) await ask(turn++);
    };
    for (let one = 0; one < lanes; one++) this.#lanes.push(lane());
  }
  /** MESSAGEs between all, requests in both directions of all calls, keep-alives of everybody. */
  start({ agent: partner }: Organisation): void {
    const client = (turn: number) =>
      this.clients[turn % this.clients.length]?.agent ?? assert.fail('nobody is there');
    const address = (turn: number) => client(turn).options.address;
    const write = (flow: string, from: TestAgent, to: string) => from.ask(flow, 'MESSAGE', to);
    this.keepsAsking(8, (turn) => write('client to client', client(turn), address(turn * 7 + 1)));
    // More than one connection to the partner takes.
    this.keepsAsking(40, (turn) => write('client to partner', client(turn * 3), partner.options.address));
    this.keepsAsking(8, (turn) => write('partner to client', partner, address(turn * 5)));
    this.keepsAsking(8, (turn) => this.#speak(turn));
    this.keepsAsking(1, () => this.#keepAlive());
  }
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#lanes);
  }
  async hangUp(): Promise<void> {
    for (const [index, { callId, ends }] of this.calls.entries()) {
      const answer = await ends[index % 3 === 0 ? 1 : 0].within('call', callId, 'BYE');
      assert.equal(answer.status, 200);
    }
  }

  async #speak(turn: number): Promise<void> {
    const call = this.calls[turn % this.calls.length] ?? assert.fail('no call');
    const end = call.ends[Math.floor(turn / this.calls.length) % 2] ?? call.ends[0];
    await end.within('call', call.callId, turn % 2 === 0 ? 'INFO' : 'UPDATE');
  }
  async #keepAlive(): Promise<void> {
    for (let first = 0; first < this.clients.length && !this.#over; first += AT_ONCE) {
      const some = this.clients.slice(first, first + AT_ONCE);
      for (const { peer } of some) peer.sends('\r\n\r\n');
      await Promise.all(some.map(({ peer }) => peer.receivesPong()));
    }
    if (!this.#over) this.keptAlive += 1;
  }
}
