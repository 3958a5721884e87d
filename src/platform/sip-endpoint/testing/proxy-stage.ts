import assert from 'node:assert/strict';
import { MessageEdit, type ServerTransaction, type SipRequest } from '#protocols/sip';
import type { SipEndpoint } from '../endpoint.ts';
import type { ProxyBranch, ProxyContext, ProxyHandler } from '../proxy/proxy-context.ts';
import { StatefulProxy } from '../proxy/stateful-proxy.ts';
import type { SipFlow } from '../types.ts';
import { MemoryNetwork, Peer, request } from './memory-network.ts';

/** alice - proxy - any number of targets. */
export class Stage {
  readonly network = new MemoryNetwork();
  readonly endpoint: SipEndpoint;
  readonly alice: Peer;
  readonly targets: Peer[] = [];
  readonly flows: SipFlow[] = [];
  readonly finals: number[] = [];
  readonly failures: string[] = [];
  ended = 0;
  context: ProxyContext | undefined;
  #branches = 0;

  constructor(
    targets: number,
    handler: (stage: Stage, original: SipRequest) => ProxyHandler = () => ({}),
    at = targets,
  ) {
    const { network } = this;
    this.endpoint = network.endpoint({
      onRequest: (original, _flow, transaction) =>
        this.#proxy(original, transaction, handler(this, original), at),
    });
    const [client, server] = network.pair();
    this.alice = new Peer(client);
    this.endpoint.addFlow(server);
    for (let i = 0; i < targets; i++) {
      const [peer, ours] = network.pair();
      this.targets.push(new Peer(peer));
      this.flows.push(this.endpoint.addFlow(ours) ?? assert.fail('no flow'));
    }
  }
  branch(original: SipRequest, index: number): ProxyBranch {
    const branch = `z9hG4bK-proxy-${++this.#branches}`;
    const edit = new MessageEdit(original).prepend('Via', `SIP/2.0/TLS proxy.example;branch=${branch}`);
    return { flow: this.flows[index] ?? assert.fail('no such target'), branch, bytes: edit.toBytes() };
  }
  target(index: number): Peer {
    return this.targets[index] ?? assert.fail('no such target');
  }
  /** alice sends; the requests as the targets saw them. */
  begins(method: string): SipRequest[] {
    this.alice.send(request(method, { branch: 'z9hG4bK-alice' }));
    this.network.settle();
    return this.targets.flatMap((peer) => (peer.received.length > 0 ? [peer.takeRequest(method)] : []));
  }
  settle(): void {
    this.network.settle();
  }
  isOver(): void {
    this.network.wait(400_000, 5000);
    assert.deepEqual(this.endpoint.transactions, { server: 0, client: 0 });
    assert.equal(this.ended, 1);
  }
  #proxy(original: SipRequest, transaction: ServerTransaction, handler: ProxyHandler, at: number): void {
    const branches = this.flows.slice(0, at).map((_, index) => this.branch(original, index));
    this.context = new StatefulProxy({ endpoint: this.endpoint, branches: 4 }).forward(
      transaction,
      branches,
      {
        ...handler,
        onFinal: (status) => this.finals.push(status),
        onEnd: () => {
          this.ended += 1;
        },
      },
    );
  }
}

/** The one request of them. */
export function only(requests: SipRequest[]): SipRequest {
  const [first, second] = requests;
  assert(first !== undefined && second === undefined);
  return first;
}
