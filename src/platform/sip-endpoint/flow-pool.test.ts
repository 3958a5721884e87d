import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { err, failure, ok, type Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { SipEndpoint } from './endpoint.ts';
import { type FlowTarget, SipFlowPool, type SipFlowPoolOptions } from './flow-pool.ts';
import { rendezvousScore } from './rendezvous.ts';
import { MemoryNetwork, Peer, request } from './testing/memory-network.ts';

const target = (name: string): FlowTarget => ({ name, address: '127.0.9.9', port: 5061 });

class Stage {
  readonly network = new MemoryNetwork();
  readonly endpoint: SipEndpoint = this.network.endpoint({});
  readonly pool: SipFlowPool;
  readonly dialled: string[] = [];
  readonly changes: string[] = [];
  /** The far ends, by name, the latest last. */
  readonly peers = new Map<string, Peer[]>();
  readonly unreachable = new Set<string>();

  constructor(names: string[], options: Partial<SipFlowPoolOptions> = {}) {
    const { clock, random, log, metrics } = this.network;
    this.pool = new SipFlowPool({
      endpoint: this.endpoint,
      clock,
      random,
      log,
      metrics,
      name: 'next_hop',
      targets: names.map(target),
      dial: (to) => this.#dial(to),
      onChange: (member) => this.changes.push(`${member.target.name} ${member.state}`),
      ...options,
    });
  }
  member(name: string) {
    return this.pool.member(name) ?? assert.fail(`no member ${name}`);
  }
  peer(name: string): Peer {
    return this.peers.get(name)?.at(-1) ?? assert.fail(`nobody dialled ${name}`);
  }
  /** Lets promises and deliveries run, then time. */
  async wait(ms = 0): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 250) {
      for (let i = 0; i < 4; i++) await Promise.resolve();
      this.network.settle();
      if (passed < ms) this.network.clock.advance(250);
    }
  }
  async #dial(to: FlowTarget): Promise<Result<Connection>> {
    this.dialled.push(to.name);
    if (this.unreachable.has(to.name)) return err(failure('SLP-SVC-0001', 'connection refused'));
    const [near, far] = this.network.pair();
    this.peers.set(to.name, [...(this.peers.get(to.name) ?? []), new Peer(far)]);
    return ok(near);
  }
}

describe('pool of flows', () => {
  it('dials every member at start and as many connections as asked', async () => {
    const stage = new Stage(['fe1', 'fe2'], { connections: 2 });
    assert.equal(stage.member('fe1').state, 'unhealthy');
    stage.pool.start();
    await stage.wait();
    assert.deepEqual(stage.dialled.sort(), ['fe1', 'fe1', 'fe2', 'fe2']);
    assert.deepEqual(stage.changes, ['fe1 healthy', 'fe2 healthy']);
    const flows = new Set([1, 2, 3, 4].map(() => stage.pool.flowTo(stage.member('fe1'))?.id));
    assert.equal(flows.size, 2);
  });

  it('keeps a key at its member until that fails, and gives it back afterwards', async () => {
    const stage = new Stage(['fe1', 'fe2', 'fe3']);
    stage.pool.start();
    await stage.wait();
    const keys = Array.from({ length: 300 }, (_, i) => `user-${i}`);
    const before = keys.map((key) => stage.pool.memberFor(key)?.target.name);
    for (const name of ['fe1', 'fe2', 'fe3']) {
      assert(before.filter((chosen) => chosen === name).length > 50, 'keys are spread');
    }
    stage.unreachable.add('fe2');
    stage.peer('fe2').connection.destroy('reset');
    await stage.wait(1000);
    const during = keys.map((key) => stage.pool.memberFor(key)?.target.name);
    for (const [index, name] of before.entries()) {
      if (name === 'fe2') assert.notEqual(during[index], 'fe2');
      else assert.equal(during[index], name);
    }
    stage.unreachable.clear();
    await stage.wait(60_000);
    assert.deepEqual(
      keys.map((key) => stage.pool.memberFor(key)?.target.name),
      before,
    );
    assert.deepEqual(stage.pool.membersFor('user-1')[0], stage.pool.memberFor('user-1'));
  });

  it('backs off while a member cannot be reached, and says why', async () => {
    const stage = new Stage(['fe1'], { backOff: { firstMs: 1000, longestMs: 8000 } });
    stage.unreachable.add('fe1');
    stage.pool.start();
    await stage.wait(60_000);
    assert(stage.dialled.length >= 9 && stage.dialled.length <= 18, `${stage.dialled.length} attempts`);
    assert.match(stage.member('fe1').reason ?? '', /SLP-SVC-0001 .*connection refused/);
    assert.equal(stage.pool.memberFor('x'), undefined);
    assert.deepEqual(stage.changes, []);
  });

  it('dials a member that was heard from without waiting for the back-off, and does not hammer it', async () => {
    const stage = new Stage(['fe1', 'fe2'], { backOff: { firstMs: 500, longestMs: 64_000 } });
    stage.unreachable.add('fe1');
    stage.pool.start();
    await stage.wait(100_000);
    const attempts = stage.dialled.length;
    stage.pool.wake('fe1');
    await stage.wait(250);
    assert.equal(stage.dialled.length, attempts + 1);
    for (let i = 0; i < 10; i++) stage.pool.wake('fe1');
    await stage.wait();
    assert.equal(stage.dialled.length, attempts + 1, 'not before the shortest back-off is over');
    stage.unreachable.clear();
    await stage.wait(500);
    assert.equal(stage.member('fe1').state, 'healthy');
    stage.pool.wake('fe1');
    stage.pool.wake('fe9');
    await stage.wait(500);
    assert.equal(stage.dialled.filter((name) => name === 'fe2').length, 1);
    assert.equal(stage.dialled.length, attempts + 2);
  });

  it('holds what comes for a member that was just heard from, until the attempt that this brought', async () => {
    const stage = new Stage(['fe1'], { backOff: { firstMs: 500, longestMs: 60_000 } });
    stage.unreachable.add('fe1');
    stage.pool.start();
    await stage.wait(100_000);
    const seen: string[] = [];
    const ask = () =>
      stage.pool.whenOpen(
        stage.member('fe1'),
        () => seen.push('used'),
        (why) => seen.push(why),
      );
    ask();
    assert.deepEqual(seen, ['dial-failed']);
    stage.pool.wake('fe1');
    ask();
    await stage.wait(500);
    assert.deepEqual(seen, ['dial-failed', 'dial-failed'], 'it was not there after all');
    ask();
    assert.equal(seen.length, 3, 'nor is it waited for again');
    stage.unreachable.clear();
    stage.pool.wake('fe1');
    ask();
    assert.equal(seen.length, 3);
    await stage.wait(500);
    assert.deepEqual(seen.slice(3), ['used']);
  });

  it('does not hammer a member that accepts and closes', async () => {
    const stage = new Stage(['fe1'], { backOff: { firstMs: 1000, longestMs: 8000 } });
    stage.pool.start();
    for (let i = 0; i < 240; i++) {
      await stage.wait(250);
      stage.peers.get('fe1')?.at(-1)?.connection.destroy('reset');
    }
    assert(stage.dialled.length <= 18, `${stage.dialled.length} attempts`);
  });

  it('holds what comes while it dials, up to a bound', async () => {
    const stage = new Stage(['fe1'], { pending: 2 });
    const member = stage.member('fe1');
    const seen: string[] = [];
    const ask = () =>
      stage.pool.whenOpen(
        member,
        () => seen.push('used'),
        (why) => seen.push(why),
      );
    ask();
    stage.pool.start();
    ask();
    ask();
    ask();
    assert.deepEqual(seen, ['dial-failed', 'pending-full']);
    await stage.wait();
    ask();
    assert.deepEqual(seen, ['dial-failed', 'pending-full', 'used', 'used', 'used']);
  });

  it('refuses what waits when dialling fails or takes too long', async () => {
    const failing = new Stage(['fe1']);
    failing.unreachable.add('fe1');
    failing.pool.start();
    const seen: string[] = [];
    failing.pool.whenOpen(
      failing.member('fe1'),
      () => assert.fail(),
      (why) => seen.push(why),
    );
    await failing.wait();
    const hanging = new Stage(['fe1'], { dial: () => new Promise(() => {}), pendingMs: 3000 });
    hanging.pool.start();
    hanging.pool.whenOpen(
      hanging.member('fe1'),
      () => assert.fail(),
      (why) => seen.push(why),
    );
    await hanging.wait(3000);
    assert.deepEqual(seen, ['dial-failed', 'pending-timeout']);
  });

  it('asks by OPTIONS and heeds the answer', async () => {
    let probes = 0;
    const stage = new Stage(['fe1'], {
      probe: {
        intervalMs: 10_000,
        build: () => {
          const branch = `z9hG4bK-probe-${++probes}`;
          return { method: 'OPTIONS', branch, bytes: request('OPTIONS', { branch }) };
        },
      },
    });
    stage.pool.start();
    await stage.wait(10_000);
    stage.peer('fe1').answer(stage.peer('fe1').takeRequest('OPTIONS'), 503);
    await stage.wait();
    assert.equal(stage.member('fe1').reason, 'answers 503 to a probe');
    await stage.wait(10_000);
    stage.peer('fe1').answer(stage.peer('fe1').takeRequest('OPTIONS'), 405);
    await stage.wait();
    assert.equal(stage.member('fe1').state, 'healthy');
    await stage.wait(50_000);
    assert.equal(stage.dialled.length, 2, 'a silent member is dialled again');
    assert.deepEqual(stage.changes.slice(0, 4), [
      'fe1 healthy',
      'fe1 unhealthy',
      'fe1 healthy',
      'fe1 unhealthy',
    ]);
  });

  it('chooses no member that answered 503 until it answers otherwise, however long that takes, also after it was away', async () => {
    let probes = 0;
    const stage = new Stage(['fe1', 'fe2'], {
      backOff: { firstMs: 500, longestMs: 5000 },
      probe: {
        intervalMs: 30_000,
        build: () => {
          const branch = `z9hG4bK-probe-${++probes}`;
          return { method: 'OPTIONS', branch, bytes: request('OPTIONS', { branch }) };
        },
      },
    });
    const answers = async (status: number): Promise<void> => {
      stage.peer('fe1').answer(stage.peer('fe1').takeRequest('OPTIONS'), status);
      await stage.wait();
    };
    stage.pool.start();
    await stage.wait(1000);
    const flow = stage.pool.flowTo(stage.member('fe1')) ?? assert.fail('no flow');
    assert.equal(stage.pool.memberOf(flow)?.target.name, 'fe1');
    // A request was answered 503: asked at once, and once.
    for (let i = 0; i < 3; i++) stage.pool.doubt(stage.member('fe1'));
    await stage.wait();
    await answers(503);
    for (let i = 0; i < 4; i++) {
      assert.equal(stage.pool.memberFor('anyone')?.target.name, 'fe2');
      await stage.wait(4750);
      assert.equal(stage.pool.memberFor('anyone')?.target.name, 'fe2');
      await stage.wait(250);
      await answers(503);
    }
    stage.peer('fe1').connection.end();
    await stage.wait(1000);
    assert.equal(stage.member('fe1').connections, 1, 'it is connected again');
    assert.equal(stage.member('fe1').state, 'unhealthy');
    await answers(200);
    assert.equal(stage.member('fe1').state, 'healthy');
    assert.deepEqual(stage.changes.slice(2), ['fe1 unhealthy', 'fe1 healthy']);
  });

  it('leaves a member alone for a while when the service complains', async () => {
    const stage = new Stage(['fe1', 'fe2'], { backOff: { firstMs: 500, longestMs: 5000 } });
    stage.pool.start();
    await stage.wait();
    stage.pool.reportFailure(stage.member('fe1'), 'no answer to INVITE');
    assert.equal(stage.member('fe1').reason, 'no answer to INVITE');
    assert.equal(stage.pool.memberFor('anyone')?.target.name, 'fe2');
    await stage.wait(5000);
    assert.equal(stage.member('fe1').state, 'healthy');
    assert.deepEqual(stage.changes.slice(2), ['fe1 unhealthy', 'fe1 healthy']);
  });

  it('takes other targets without touching those that stay', async () => {
    const stage = new Stage(['fe1', 'fe2']);
    stage.pool.start();
    await stage.wait();
    const [kept, old] = [stage.member('fe1'), stage.member('fe2')];
    const flow = stage.pool.flowTo(kept);
    stage.pool.update([target('fe1'), target('fe3')]);
    await stage.wait();
    assert.equal(stage.pool.flowTo(stage.member('fe1')), flow);
    assert.equal(stage.member('fe3').state, 'healthy');
    assert.equal(stage.pool.flowTo(old), undefined);
    assert.equal(stage.peer('fe2').connection.closed, false, 'what is under way may end');
    await stage.wait(33_000);
    assert.equal(stage.peer('fe2').connection.closed, true);
    assert.equal(stage.dialled.length, 3);
  });

  it('closes everything and dials no more', async () => {
    const stage = new Stage(['fe1']);
    stage.pool.start();
    const member = stage.member('fe1');
    const seen: string[] = [];
    stage.pool.whenOpen(
      member,
      () => assert.fail(),
      (why) => seen.push(why),
    );
    stage.pool.close();
    stage.pool.whenOpen(
      member,
      () => assert.fail(),
      (why) => seen.push(why),
    );
    await stage.wait(60_000);
    assert.deepEqual(seen, ['closed', 'closed']);
    assert.equal(stage.endpoint.flowCount, 0);
    assert.deepEqual(stage.dialled, ['fe1']);
  });
});

describe('rendezvous score', () => {
  it('is a number of 32 bits that differs by key and name', () => {
    const scores = new Set<number>();
    for (let i = 0; i < 100; i++) {
      for (const name of ['a', 'b', 'c']) {
        const score = rendezvousScore(`key-${i}`, name);
        assert(Number.isInteger(score) && score >= 0 && score < 2 ** 32);
        scores.add(score);
      }
    }
    assert.equal(scores.size, 300);
    assert.equal(rendezvousScore('key', 'name'), rendezvousScore('key', 'name'));
  });
});
