import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageEdit, type ServerTransaction, type SipRequest, sipLimits } from '#protocols/sip';
import { MemoryNetwork, request } from '../testing/memory-network.ts';
import { only, Stage } from '../testing/proxy-stage.ts';
import type { BranchFailure, ProxyBranch, ProxyHandler } from './proxy-context.ts';
import { StatefulProxy } from './stateful-proxy.ts';

describe('proxy, one target', () => {
  it('carries a MESSAGE and its answer', () => {
    const stage = new Stage(1);
    const message = only(stage.begins('MESSAGE'));
    assert.deepEqual(
      message.vias().map((via) => via.host),
      ['proxy.example', 'alice.example'],
    );
    stage.target(0).answer(message, 200, [['X-Untouched', 'yes']]);
    stage.settle();
    const answer = stage.alice.takeResponse(200);
    assert.deepEqual(
      answer.vias().map((via) => via.host),
      ['alice.example'],
    );
    assert.equal(answer.header('X-Untouched'), 'yes');
    assert.deepEqual(stage.finals, [200]);
    assert.deepEqual(stage.endpoint.transactions, { server: 0, client: 0 });
    stage.isOver();
  });

  it('lets the service edit each response', () => {
    const stage = new Stage(1, () => ({
      editResponse: (edit) => edit.remove('Server').append('X-Edge', 'seen'),
    }));
    const message = only(stage.begins('MESSAGE'));
    stage.target(0).answer(message, 404, [['Server', 'internal/1.0']]);
    stage.settle();
    const answer = stage.alice.takeResponse(404);
    assert.deepEqual([answer.has('Server'), answer.header('X-Edge')], [false, 'seen']);
  });

  it('sends nothing on that became too long on the way, whose receiver would lose its stream over it', async () => {
    const padding = 'x'.repeat(1000);
    const stage = new Stage(1, () => ({ editResponse: (edit) => edit.append('X-Padding', padding) }));
    const longest = sipLimits.messageBytes - request('MESSAGE', { branch: 'z9hG4bK-a', body: '' }).length - 8;
    stage.alice.send(request('MESSAGE', { branch: 'z9hG4bK-a', body: 'x'.repeat(longest) }));
    stage.settle();
    assert.deepEqual(stage.target(0).take(), []);
    assert.deepEqual(stage.alice.take(), ['513']);
    const message = only(stage.begins('MESSAGE'));
    const long: [string, string][] = Array.from({ length: 8 }, () => ['X', 'x'.repeat(8100)]);
    stage.target(0).answer(message, 200, long);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['502']);
    assert.equal(stage.target(0).connection.closed, false);
    assert.deepEqual(stage.endpoint.transactions, { server: 0, client: 0 });
  });

  it('says 100 to an INVITE at once, passes 18x but not 100, and every 2xx', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    assert.deepEqual(stage.alice.take(), ['100']);
    for (const status of [100, 180, 183, 200, 200]) stage.target(0).answer(invite, status);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['180', '183', '200', '200']);
    assert.deepEqual(stage.finals, [200, 200]);
    stage.isOver();
  });

  it('acknowledges a refusal on each side of itself', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 486);
    stage.settle();
    assert.deepEqual(stage.target(0).take(), ['ACK']);
    assert.deepEqual(stage.alice.take(), ['100', '486']);
    stage.alice.send(request('ACK', { branch: 'z9hG4bK-alice' }));
    stage.settle();
    assert.deepEqual(stage.endpoint.transactions, { server: 0, client: 0 });
    stage.isOver();
  });

  it('passes no provisional response of another method', () => {
    const stage = new Stage(1);
    const message = only(stage.begins('MESSAGE'));
    stage.target(0).answer(message, 180);
    stage.settle();
    assert.deepEqual(stage.alice.take(), []);
  });

  it('turns 503 into 500, unless the service knows that nothing would be better', () => {
    for (const [handler, expected] of [
      [{}, 500],
      [{ passes503: true }, 503],
    ] as const) {
      const stage = new Stage(1, () => handler);
      const message = only(stage.begins('MESSAGE'));
      stage.target(0).answer(message, 503, [['Retry-After', '30']]);
      stage.settle();
      stage.alice.takeResponse(expected);
      assert.deepEqual(stage.finals, [expected]);
    }
  });

  it('does not pass a response from which its own Via is all there was', () => {
    const stage = new Stage(1);
    const message = only(stage.begins('MESSAGE'));
    const answer = new MessageEdit(message).toBytes().toString();
    const lines = answer.split('\r\n').filter((line) => !line.includes('alice.example;'));
    lines[0] = 'SIP/2.0 200 OK';
    stage.target(0).send(lines.join('\r\n'));
    stage.settle();
    stage.alice.takeResponse(502);
    stage.isOver();
  });

  it('answers 480 when there is no target', () => {
    const stage = new Stage(0);
    stage.begins('MESSAGE');
    stage.alice.takeResponse(480);
    stage.isOver();
  });
});

describe('proxy, forks (RFC 3261 §16.7)', () => {
  const best = (method: string, ...statuses: number[]) => {
    const stage = new Stage(statuses.length);
    const requests = stage.begins(method);
    stage.alice.take();
    for (const [index, status] of statuses.entries()) {
      const headers =
        status === 401 ? [['WWW-Authenticate', `Digest realm="r${index}", nonce="n"`] as const] : [];
      stage.target(index).answer(requests[index] ?? assert.fail('no request'), status, headers);
    }
    stage.settle();
    return stage;
  };

  it('waits for all branches and takes the lowest class', () => {
    best('MESSAGE', 500, 404, 302).alice.takeResponse(302);
    best('MESSAGE', 500, 404).alice.takeResponse(404);
  });
  it('prefers what tells the client how to go on, and 6xx to anything', () => {
    best('MESSAGE', 404, 401, 486).alice.takeResponse(401);
    best('MESSAGE', 404, 407).alice.takeResponse(407);
    best('MESSAGE', 404, 603, 302).alice.takeResponse(603);
  });
  it('takes any other 5xx before a 503', () => {
    best('MESSAGE', 503, 504).alice.takeResponse(504);
  });
  it('gathers the challenges of all branches', () => {
    const answer = best('MESSAGE', 401, 404, 401).alice.takeResponse(401);
    assert.deepEqual(answer.values('WWW-Authenticate'), [
      'Digest realm="r0", nonce="n"',
      'Digest realm="r2", nonce="n"',
    ]);
  });
  it('sends one 2xx for a MESSAGE', () => {
    const stage = best('MESSAGE', 404, 200, 202);
    assert.deepEqual(stage.alice.take(), ['200']);
    stage.isOver();
  });

  it('cancels the other branches of an INVITE on a 2xx, and passes a 2xx that crossed', () => {
    const stage = new Stage(3);
    const [first, second, third] = stage.begins('INVITE');
    assert(first && second && third);
    stage.target(0).answer(first, 180);
    stage.target(1).answer(second, 180);
    stage.settle();
    stage.target(0).answer(first, 200);
    stage.settle();
    assert.deepEqual(stage.target(1).take(), ['CANCEL']);
    assert.deepEqual(stage.target(2).take(), [], 'no CANCEL before a provisional response');
    stage.target(1).answer(second, 200);
    stage.target(2).answer(third, 183);
    stage.settle();
    stage.target(2).takeRequest('CANCEL');
    stage.target(2).answer(third, 487);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '180', '180', '200', '200']);
    stage.isOver();
  });

  it('cancels the other branches on a 6xx and sends that when they have ended', () => {
    const stage = new Stage(2);
    const [first, second] = stage.begins('INVITE');
    assert(first && second);
    stage.target(1).answer(second, 180);
    stage.settle();
    stage.target(0).answer(first, 603);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '180']);
    stage.target(1).takeRequest('CANCEL');
    stage.target(1).answer(second, 487);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['603']);
  });
});

describe('proxy, one target after another', () => {
  const serial = (stage: Stage, original: SipRequest): ProxyHandler => {
    let next = 1;
    return {
      nextBranch: (failure) => {
        stage.failures.push(failure.cause === 'response' ? `${failure.response.status}` : failure.cause);
        return next < stage.flows.length ? stage.branch(original, next++) : undefined;
      },
    };
  };

  it('tries the next when a flow closes, and forgets the failure', () => {
    const stage = new Stage(2, serial, 1);
    only(stage.begins('MESSAGE'));
    stage.target(0).connection.destroy('reset');
    stage.settle();
    const again = stage.target(1).takeRequest('MESSAGE');
    stage.target(1).answer(again, 486);
    stage.settle();
    stage.alice.takeResponse(486);
    assert.deepEqual(stage.failures, ['transport', '486']);
    stage.isOver();
  });

  it('tries the next when the flow is closed already', () => {
    const stage = new Stage(2, serial, 1);
    stage.target(0).connection.destroy('reset');
    stage.settle();
    const message = only(stage.begins('MESSAGE'));
    stage.target(1).answer(message, 200);
    stage.settle();
    stage.alice.takeResponse(200);
    assert.deepEqual(stage.failures, ['refused']);
  });

  it('tries the next after a response that the service does not like', () => {
    const stage = new Stage(2, serial, 1);
    const message = only(stage.begins('MESSAGE'));
    stage.target(0).answer(message, 503);
    stage.settle();
    stage.target(1).answer(stage.target(1).takeRequest('MESSAGE'), 200);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['200']);
  });

  it('answers 500 when every target is gone', () => {
    const stage = new Stage(2, serial, 1);
    stage.target(0).connection.destroy('reset');
    stage.target(1).connection.destroy('reset');
    stage.settle();
    stage.begins('MESSAGE');
    stage.alice.takeResponse(500);
    stage.isOver();
  });

  it('answers after the last of several targets that take the call and then say nothing', () => {
    const stage = new Stage(3, serial, 1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 100);
    for (const target of [1, 2]) {
      stage.network.wait(225_000, 5000);
      stage.target(target).answer(stage.target(target).takeRequest('INVITE'), 100);
      stage.settle();
    }
    stage.network.wait(225_000, 5000);
    assert.deepEqual(stage.alice.take(), ['100', '408']);
    assert.deepEqual(stage.failures, ['timeout', 'timeout', 'timeout']);
    stage.isOver();
  });

  it('answers even when it takes long to connect the next target', async () => {
    const next = Promise.withResolvers<ProxyBranch>();
    const reach = (failure: BranchFailure) => (failure.cause === 'timeout' ? next.promise : undefined);
    const stage = new Stage(2, () => ({ nextBranch: reach }), 1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 100);
    stage.network.wait(225_000, 5000);
    stage.network.wait(200_000, 5000);
    next.resolve(stage.branch(invite, 1));
    await new Promise(setImmediate);
    stage.settle();
    stage.target(1).answer(stage.target(1).takeRequest('INVITE'), 486);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '486']);
  });

  it('ends even with a service that never runs out of targets', () => {
    const stage = new Stage(1, (self, original) => ({ nextBranch: () => self.branch(original, 0) }));
    const message = only(stage.begins('MESSAGE'));
    stage.target(0).connection.destroy('reset');
    assert.equal(message.method, 'MESSAGE');
    stage.settle();
    stage.alice.takeResponse(500);
    stage.isOver();
  });

  it('sends 408 for an INVITE without answer, and nothing for another method (RFC 4320 §4.2)', () => {
    const invite = new Stage(1);
    only(invite.begins('INVITE'));
    invite.network.wait(32_000);
    assert.deepEqual(invite.alice.take(), ['100', '408']);
    const message = new Stage(1);
    only(message.begins('MESSAGE'));
    message.network.wait(40_000);
    assert.deepEqual(message.alice.take(), ['100']);
    message.isOver();
  });
});

describe('proxy, giving up', () => {
  it('sends nothing for a request whose caller has gone meanwhile', () => {
    const network = new MemoryNetwork();
    const waiting: ServerTransaction[] = [];
    const endpoint = network.endpoint({
      onRequest: (_request, _flow, transaction) => waiting.push(transaction),
    });
    const [alice, server] = network.pair();
    const [bob, ours] = network.pair();
    endpoint.addFlow(server);
    const flow = endpoint.addFlow(ours);
    alice.write(request('INVITE'));
    network.settle();
    const [transaction] = waiting;
    alice.destroy('reset');
    network.settle();
    assert(flow && transaction);
    let ended = 0;
    const branch = { flow, branch: 'z9hG4bK-p', bytes: request('INVITE', { branch: 'z9hG4bK-p' }) };
    new StatefulProxy({ endpoint }).forward(transaction, [branch], { onEnd: () => ended++ });
    network.settle();
    assert.deepEqual([bob.bytesReceived, ours.writes, ended], [0, [], 1]);
  });

  it('answers CANCEL, cancels the branch, passes the 487', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 180);
    stage.settle();
    stage.alice.send(request('CANCEL', { branch: 'z9hG4bK-alice' }));
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '180', '200']);
    const cancel = stage.target(0).takeRequest('CANCEL');
    assert.equal(cancel.topVia.branch, invite.topVia.branch);
    stage.target(0).answer(cancel, 200);
    stage.target(0).answer(invite, 487);
    stage.settle();
    assert.deepEqual(stage.target(0).take(), ['ACK']);
    assert.deepEqual(stage.alice.take(), ['487']);
    stage.isOver();
  });

  it('lets a 2xx win that crosses the CANCEL', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 180);
    stage.settle();
    stage.alice.send(request('CANCEL', { branch: 'z9hG4bK-alice' }));
    stage.target(0).answer(invite, 200);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '180', '200', '200']);
    stage.isOver();
  });

  it('answers a CANCEL that comes too late, without effect', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 200);
    stage.settle();
    stage.alice.send(request('CANCEL', { branch: 'z9hG4bK-alice' }));
    stage.settle();
    assert.deepEqual(stage.target(0).take(), []);
    assert.deepEqual(stage.alice.take(), ['100', '200', '200']);
  });

  it('answers a CANCEL at once that comes while another target is being connected, and asks nobody then', async () => {
    const next = Promise.withResolvers<ProxyBranch>();
    const stage = new Stage(2, () => ({ nextBranch: () => next.promise }), 1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 503);
    stage.settle();
    stage.alice.send(request('CANCEL', { branch: 'z9hG4bK-alice' }));
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '200', '487']);
    assert.deepEqual(stage.finals, [487]);
    assert.equal(stage.ended, 1);
    next.resolve(stage.branch(invite, 1));
    await next.promise;
    stage.settle();
    assert.deepEqual(stage.target(1).take(), []);
    stage.isOver();
  });

  it('cancels when the caller’s flow closes', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 180);
    stage.settle();
    stage.alice.connection.destroy('reset');
    stage.settle();
    stage.target(0).takeRequest('CANCEL');
    stage.target(0).answer(invite, 487);
    stage.settle();
    stage.isOver();
  });

  it('cancels what rings beyond Timer C', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 180);
    stage.network.wait(190_000, 5000);
    assert.deepEqual(stage.target(0).take(), ['CANCEL']);
    stage.network.wait(40_000, 5000);
    assert.deepEqual(stage.alice.take(), ['100', '180', '408']);
    stage.isOver();
  });
});
