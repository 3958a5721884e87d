import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { only, Stage } from '../testing/proxy-stage.ts';

describe('proxy, responses that the service does not let upstream', () => {
  const refusing = (statuses: readonly number[]) => () => ({
    refuseResponse: ({ status }: { status: number }) => (statuses.includes(status) ? 488 : undefined),
  });

  const CONTACT = [['Contact', '<sip:bob@bob.example>']] as const;

  it('answers in place of a 2xx, and ends the call: ACK as often as the 2xx comes, BYE once', () => {
    const stage = new Stage(1, refusing([200]));
    const invite = only(stage.begins('INVITE'));
    for (let i = 0; i < 3; i++) {
      stage.target(0).answer(invite, 200, CONTACT);
      stage.settle();
    }
    assert.deepEqual(stage.alice.take(), ['100', '488']);
    const [ack, bye, ...more] = stage.target(0).received.splice(0) as SipRequest[];
    assert.deepEqual(
      [ack?.method, bye?.method, ...more.map((one) => (one as SipRequest).method)],
      ['ACK', 'BYE', 'ACK', 'ACK'],
    );
    assert.equal(bye?.uri, 'sip:bob@bob.example');
    stage.target(0).answer(bye ?? assert.fail('no BYE'), 200);
    stage.settle();
    assert.deepEqual(stage.alice.take(), []);
    assert.deepEqual(stage.finals, [488]);
    stage.isOver();
  });

  it('ends each of many calls that one target has accepted, up to a bound', () => {
    const stage = new Stage(1, refusing([200]));
    const invite = only(stage.begins('INVITE'));
    for (let i = 0; i < 12; i++) stage.target(0).answer(invite, 200, CONTACT, `tag-${i}`);
    stage.settle();
    const ended = stage.target(0).take();
    assert.equal(ended.filter((what) => what === 'BYE').length, 8);
    assert.equal(ended.filter((what) => what === 'ACK').length, 8);
    stage.isOver();
  });

  it('ends what another device accepts after the call of the first one went through, as often as its 2xx comes', () => {
    const stage = new Stage(1, () => ({
      refuseResponse: ({ to }) => (to.tag === 'video' ? 488 : undefined),
    }));
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 200, CONTACT, 'audio');
    stage.settle();
    for (let i = 0; i < 2; i++) {
      stage.target(0).answer(invite, 200, CONTACT, 'video');
      stage.settle();
    }
    const ended = stage.target(0).received.splice(0) as SipRequest[];
    assert.deepEqual(
      ended.map(({ method, to }) => `${method} ${to.tag}`),
      ['ACK video', 'BYE video', 'ACK video'],
    );
    // The call that went through is its caller's: each of its 2xx still arrives.
    stage.target(0).answer(invite, 200, CONTACT, 'audio');
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '200', '200']);
    assert.deepEqual(stage.target(0).take(), []);
    assert.deepEqual(stage.finals, [200, 200]);
    stage.isOver();
  });

  it('ends the call that is accepted in the moment in which its caller is gone', () => {
    const stage = new Stage(2);
    const [first, second] = stage.begins('INVITE');
    assert(first && second);
    stage.target(0).answer(first, 180);
    stage.target(1).answer(second, 180);
    stage.settle();
    stage.alice.connection.end();
    stage.settle();
    assert.deepEqual([stage.target(0).take(), stage.target(1).take()], [['CANCEL'], ['CANCEL']]);
    for (let i = 0; i < 2; i++) stage.target(0).answer(first, 200, CONTACT, 'late');
    stage.target(1).answer(second, 487);
    stage.settle();
    assert.deepEqual(stage.target(0).take(), ['ACK', 'BYE', 'ACK']);
    assert.deepEqual(stage.target(1).take(), ['ACK']);
    assert.deepEqual(stage.finals, []);
    stage.isOver();
  });

  it('leaves a 2xx without acknowledgement where no call can be ended by it', () => {
    const stage = new Stage(1, refusing([200]));
    const invite = only(stage.begins('INVITE'));
    stage.target(0).answer(invite, 200);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '488']);
    assert.deepEqual(stage.target(0).take(), []);
    stage.isOver();
  });

  it('cancels what said something of the kind before its answer, once', () => {
    const stage = new Stage(1, refusing([183]));
    const invite = only(stage.begins('INVITE'));
    for (const status of [180, 183, 183]) stage.target(0).answer(invite, status);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['100', '180']);
    assert.deepEqual(stage.target(0).take(), ['CANCEL']);
    stage.target(0).answer(invite, 487);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['488']);
    stage.isOver();
  });

  it('lets another target answer', () => {
    const stage = new Stage(2, refusing([200]));
    const [first, second] = stage.begins('MESSAGE');
    assert(first && second);
    stage.target(0).answer(first, 200);
    stage.settle();
    assert.deepEqual(stage.alice.take(), []);
    stage.target(1).answer(second, 202);
    stage.settle();
    assert.deepEqual(stage.alice.take(), ['202']);
    stage.isOver();
  });
});
