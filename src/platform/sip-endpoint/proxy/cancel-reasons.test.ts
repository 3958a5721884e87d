import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request } from '../testing/memory-network.ts';
import { only, Stage } from '../testing/proxy-stage.ts';

describe('proxy, why a call is given up (RFC 3326)', () => {
  const elsewhere = 'SIP;cause=200;text="Call completed elsewhere"';
  const cancel = (stage: Stage, ...reasons: string[]): void => {
    const text = request('CANCEL', { branch: 'z9hG4bK-alice' }).toString();
    const lines = reasons.map((reason) => `Reason: ${reason}\r\n`).join('');
    stage.alice.send(Buffer.from(text.replace(/^Content-Length/m, `${lines}Content-Length`)));
    stage.settle();
  };
  const reasonsOf = (stage: Stage, index: number): string[] => {
    return stage.target(index).takeRequest('CANCEL').values('Reason');
  };

  it('passes on what a CANCEL says, also when it has to wait for the first response', () => {
    const stage = new Stage(1);
    const invite = only(stage.begins('INVITE'));
    cancel(stage, elsewhere, 'Q.850;cause=16');
    assert.deepEqual(stage.target(0).take(), []);
    stage.target(0).answer(invite, 180);
    stage.settle();
    assert.deepEqual(reasonsOf(stage, 0), [elsewhere, 'Q.850;cause=16']);
    stage.target(0).answer(invite, 487);
    stage.settle();
    stage.isOver();
  });

  it('says nothing where nothing was said, no more than a few, and what the service makes of them', () => {
    for (const [handler, said, expected] of [
      [{}, [], []],
      [{}, ['a', 'b', 'c', 'd', 'e', 'f'], ['a', 'b', 'c', 'd']],
      [{ cancelReasons: () => [] }, [elsewhere], []],
      [{ cancelReasons: (all: readonly string[]) => all.slice(1) }, ['a', 'b'], ['b']],
    ] as const) {
      const stage = new Stage(1, () => handler);
      const invite = only(stage.begins('INVITE'));
      stage.target(0).answer(invite, 180);
      stage.settle();
      cancel(stage, ...said);
      assert.deepEqual(reasonsOf(stage, 0), expected);
      stage.target(0).answer(invite, 487);
      stage.settle();
      stage.isOver();
    }
  });

  it('tells the others of a fork that one of them has answered', () => {
    const stage = new Stage(2);
    const [first, second] = stage.begins('INVITE');
    assert(first && second);
    stage.target(0).answer(first, 180);
    stage.target(1).answer(second, 200);
    stage.settle();
    assert.deepEqual(reasonsOf(stage, 0), [elsewhere]);
    stage.target(0).answer(first, 487);
    stage.settle();
    stage.isOver();
  });
});
