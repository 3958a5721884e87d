import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { MessageEdit, SipRequest } from '#protocols/sip';
import { MemoryNetwork, Peer, request } from '../testing/memory-network.ts';
import type { SipFlow } from '../types.ts';
import { StatefulProxy } from './stateful-proxy.ts';

const STATUSES = [100, 180, 183, 200, 202, 302, 401, 404, 486, 503, 603];
const TARGETS = 3;

/** A proxy that tries one target more for every failure, and whatever its peers and the clock do to it. */
class Turmoil {
  readonly network = new MemoryNetwork();
  readonly alice: Peer;
  readonly targets: Peer[] = [];
  readonly requests: SipRequest[] = [];
  begun = 0;
  ended = 0;
  readonly finals: number[] = [];
  readonly #flows: SipFlow[] = [];
  readonly #endpoint = this.network.endpoint({
    onAck() {},
    onRequest: (original, _flow, transaction) => {
      const proxy = new StatefulProxy({ endpoint: this.#endpoint, branches: 6 });
      this.begun += 1;
      const first = this.#flows.slice(0, 2).map((flow) => this.#branch(original, flow));
      proxy.forward(transaction, first, {
        nextBranch: () => this.#branch(original, this.#flows[this.#branches % TARGETS] ?? assert.fail()),
        onFinal: (status) => this.finals.push(status),
        onEnd: () => {
          this.ended += 1;
        },
      });
    },
  });
  #branches = 0;

  constructor() {
    const [client, server] = this.network.pair();
    this.alice = new Peer(client);
    this.#endpoint.addFlow(server);
    for (let i = 0; i < TARGETS; i++) {
      const [peer, ours] = this.network.pair();
      this.targets.push(new Peer(peer));
      this.#flows.push(this.#endpoint.addFlow(ours) ?? assert.fail());
    }
  }

  step(what: number, which: number): void {
    const target = this.targets[which % TARGETS] ?? assert.fail();
    switch (what % 8) {
      case 0:
        this.alice.send(request('CANCEL', { branch: 'z9hG4bK-alice' }));
        break;
      case 1:
        target.connection.destroy('reset');
        break;
      case 2:
        if (which < 40) this.alice.connection.destroy('reset');
        break;
      case 3:
        this.network.wait([100, 4000, 32_000, 190_000][which % 4] ?? 0, 4000);
        break;
      default:
        this.#answers(target, which, STATUSES[which % STATUSES.length] ?? 200);
    }
    this.network.settle();
    for (const peer of this.targets) {
      for (const message of peer.received.splice(0)) {
        if (message instanceof SipRequest && message.method !== 'ACK') this.requests.push(message);
      }
    }
  }
  isOver(method: string): void {
    this.network.wait(900_000, 10_000);
    assert.deepEqual(this.#endpoint.transactions, { server: 0, client: 0 });
    assert.deepEqual([this.begun, this.ended], [1, 1]);
    const refusals = this.finals.filter((status) => status >= 300);
    assert(refusals.length <= 1, 'one refusal at most');
    if (method !== 'INVITE') assert(this.finals.length <= 1, 'one final response');
    assert(refusals.length === 0 || this.finals.length === 1, 'no refusal besides a 2xx');
  }

  #answers(target: Peer, which: number, status: number): void {
    const open = this.requests.filter(
      (each) => each.header('X-Target') === `${this.targets.indexOf(target)}`,
    );
    const answered = open[which % Math.max(open.length, 1)];
    if (answered !== undefined) target.answer(answered, status);
  }
  #branch(original: SipRequest, flow: SipFlow) {
    const branch = `z9hG4bK-${this.#branches++}`;
    const bytes = new MessageEdit(original)
      .prepend('Via', `SIP/2.0/TLS proxy;branch=${branch}`)
      .append('X-Target', `${this.#flows.indexOf(flow)}`)
      .toBytes();
    return { flow, branch, bytes };
  }
}

const number = fc.integer({ min: 0, max: 255 });

for (const method of ['INVITE', 'MESSAGE']) {
  it(`whatever happens to a proxied ${method}, it ends once and leaves nothing behind`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { maxLength: 30 }), (steps) => {
        const turmoil = new Turmoil();
        turmoil.alice.send(request(method, { branch: 'z9hG4bK-alice' }));
        turmoil.step(4, 0);
        for (const [what, which] of steps) turmoil.step(what, which);
        turmoil.isOver(method);
      }),
      { numRuns: 150 },
    );
  });
}
