import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Play, request } from './testing/play.ts';

const unreliable = { reliable: () => false };

describe('server transaction, INVITE (RFC 3261 §17.2.1)', () => {
  it('says 100 by itself when nobody else does within 200 ms', () => {
    const play = new Play();
    const transaction = play.receivesNew(request('INVITE'));
    assert.deepEqual(play.wait(199).record(), []);
    assert.deepEqual(play.wait(1).record(), ['100']);
    assert.deepEqual(play.answers(transaction, 180).record(), ['180']);
  });

  it('leaves 100 to the layer above when that is quick', () => {
    const play = new Play();
    const transaction = play.receivesNew(request('INVITE'));
    assert.deepEqual(play.answers(transaction, 100).wait(5000).record(), ['100']);
  });

  it('repeats its latest provisional response for a repeated INVITE', () => {
    const play = new Play(unreliable);
    const transaction = play.receivesNew(request('INVITE'));
    play.answers(transaction, 100).answers(transaction, 180).record();
    assert.equal(play.receives(request('INVITE')).type, 'absorbed');
    assert.deepEqual(play.record(), ['180']);
  });

  it('repeats a refusal by Timer G until the ACK comes, then absorbs ACKs until Timer I', () => {
    const play = new Play(unreliable);
    const transaction = play.receivesNew(request('INVITE'));
    play.answers(transaction, 486).record();
    assert.deepEqual(play.wait(500).record(), ['486']);
    assert.deepEqual(play.wait(1000).record(), ['486']);
    play.receives(request('INVITE'));
    assert.deepEqual(play.record(), ['486']);
    assert.equal(play.receives(request('ACK', { toTag: 'uas' })).type, 'absorbed');
    assert.equal(transaction.state, 'confirmed');
    assert.equal(play.receives(request('ACK', { toTag: 'uas' })).type, 'absorbed');
    play.receives(request('INVITE'));
    assert.deepEqual(play.wait(4999).record(), []);
    play.wait(1).isEmpty();
  });

  it('doubles Timer G up to T2, until Timer H ends it', () => {
    const play = new Play(unreliable);
    play.answers(play.receivesNew(request('INVITE')), 486).record();
    assert.equal(play.wait(3500).record().length, 3, 'after 0.5, 1.5 and 3.5 s');
    assert.equal(play.wait(4000).record().length, 1, 'after 7.5 s');
    assert.equal(play.wait(4000).record().length, 1, 'never longer than 4 s');
    assert.deepEqual(play.wait(20_500).record(), [...Array(5).fill('486'), 'timeout INVITE']);
    play.isEmpty();
  });

  it('reports Timer H when the ACK never comes, and repeats nothing over reliable transport', () => {
    const play = new Play();
    const transaction = play.receivesNew(request('INVITE'));
    play.answers(transaction, 486);
    assert.deepEqual(play.wait(32_000).record(), ['486', 'timeout INVITE']);
    play.isEmpty();
  });

  it('ends with the ACK over reliable transport', () => {
    const play = new Play();
    const transaction = play.receivesNew(request('INVITE'));
    play.answers(transaction, 600);
    assert.equal(play.receives(request('ACK', { toTag: 'uas' })).type, 'absorbed');
    play.isEmpty();
  });

  it('accepts: sends each 2xx, absorbs repeated INVITEs, shows ACKs (RFC 6026 §7.1)', () => {
    const play = new Play(unreliable);
    const transaction = play.receivesNew(request('INVITE'));
    play.answers(transaction, 200);
    assert.equal(transaction.state, 'accepted');
    assert.equal(play.receives(request('INVITE')).type, 'absorbed');
    play.answers(transaction, 200, 'second-fork').answers(transaction, 486).answers(transaction, 180);
    assert.deepEqual(play.record(), ['200', '200']);
    assert.equal(play.receives(request('ACK', { toTag: 'uas' })).type, 'ack');
    assert.equal(play.receives(request('ACK', { toTag: 'uas', branch: 'z9hG4bK-own' })).type, 'ack');
    assert.deepEqual(play.wait(31_999).record(), []);
    assert.equal(transaction.state, 'accepted');
    play.wait(1).isEmpty();
  });

  it('remembers an accepted INVITE by its head alone, and is found by it as before', () => {
    for (const branch of ['z9hG4bK-caller', 'rfc2543']) {
      const play = new Play(unreliable);
      const invite = () => request('INVITE', { branch, displayName: '"Älice" ', body: 'v=0\r\n' });
      const transaction = play.receivesNew(invite());
      const { request: before } = transaction;
      play.answers(transaction, 200);
      transaction.condense();
      const { request: remembered } = transaction;
      assert.notEqual(remembered, before);
      assert.deepEqual([...remembered.fields()], [...before.fields()]);
      assert.deepEqual([remembered.method, remembered.uri], [before.method, before.uri]);
      assert.equal(remembered.body.length, 0);
      assert.equal(play.receives(invite()).type, 'absorbed');
      assert.equal(play.receives(request('ACK', { branch, toTag: 'uas' })).type, 'ack');
      play.answers(transaction, 200, 'second-fork');
      assert.deepEqual(play.record(), ['200', '200']);
      play.wait(32_000).isEmpty();
    }
  });

  it('drops a response after the end', () => {
    const play = new Play();
    const transaction = play.receivesNew(request('INVITE'));
    play.answers(transaction, 486).receives(request('ACK', { toTag: 'uas' }));
    play.record();
    assert.deepEqual(play.answers(transaction, 200).record(), []);
    play.isEmpty();
  });

  it('drops an INVITE that our own side forgot', () => {
    const play = new Play();
    play.receivesNew(request('INVITE'));
    assert.deepEqual(play.wait(300_000).record(), ['100', 'timeout INVITE']);
    play.isEmpty();
  });
});

describe('server transaction, other methods (RFC 3261 §17.2.2)', () => {
  it('ends at once with the final response over reliable transport', () => {
    const play = new Play();
    const transaction = play.receivesNew(request('MESSAGE'));
    assert.deepEqual(play.answers(transaction, 200).record(), ['200']);
    play.isEmpty();
  });

  it('repeats the final response for a repeated request until Timer J', () => {
    const play = new Play(unreliable);
    const transaction = play.receivesNew(request('MESSAGE'));
    play.receives(request('MESSAGE'));
    assert.deepEqual(play.record(), []);
    play.answers(transaction, 200);
    play.receives(request('MESSAGE'));
    play.answers(transaction, 500);
    assert.deepEqual(play.record(), ['200', '200']);
    play.wait(32_000).isEmpty();
  });

  it('says 100 when Timer E of the client reaches T2, and never 408 (RFC 4320 §4)', () => {
    const play = new Play();
    play.receivesNew(request('MESSAGE'));
    assert.deepEqual(play.wait(3499).record(), []);
    assert.deepEqual(play.wait(1).record(), ['100']);
    assert.deepEqual(play.wait(32_000).record(), ['timeout MESSAGE']);
    play.isEmpty();
  });
});

describe('CANCEL (RFC 3261 §9.2)', () => {
  it('names the INVITE with the same branch', () => {
    const play = new Play();
    const invite = play.receivesNew(request('INVITE'));
    const outcome = play.receives(request('CANCEL'));
    assert(outcome.type === 'cancel');
    assert.equal(outcome.invite, invite);
    play.answers(outcome.transaction, 200).answers(invite, 487);
    assert.deepEqual(play.record(), ['200', '487']);
  });

  it('finds nothing by another branch, sent-by or scope', () => {
    const play = new Play({ scope: (flow) => `${flow}` });
    play.receivesNew(request('INVITE'));
    for (const [bytes, flow] of [
      [request('CANCEL', { branch: 'z9hG4bK-b' }), 1],
      [request('CANCEL', { sentBy: 'mallory.example' }), 1],
      [request('CANCEL'), 2],
    ] as const) {
      const outcome = play.receives(bytes, flow);
      assert(outcome.type === 'cancel');
      assert.equal(outcome.invite, undefined);
    }
  });
});

describe('matching of requests (RFC 3261 §17.2.3)', () => {
  it('takes branch, sent-by and method together', () => {
    const play = new Play();
    play.receivesNew(request('MESSAGE'));
    play.receivesNew(request('OPTIONS'));
    play.receivesNew(request('MESSAGE', { sentBy: 'alice.example:5062' }));
    play.receivesNew(request('MESSAGE', { branch: 'z9hG4bK-2' }));
    assert.equal(play.receives(request('MESSAGE', { callId: 'does-not-matter' })).type, 'absorbed');
    assert.equal(play.receives(request('MESSAGE', { sentBy: 'ALICE.example' })).type, 'absorbed');
  });

  for (const branch of [null, 'rfc2543', 'z9hG4bK']) {
    describe(`without a usable branch (${branch})`, () => {
      const legacy = (method: string, facts = {}) => request(method, { branch, ...facts });

      it('compares Request-URI, tags, Call-ID, CSeq and Via', () => {
        const play = new Play();
        play.receivesNew(legacy('MESSAGE'));
        assert.equal(play.receives(legacy('MESSAGE')).type, 'absorbed');
        play.receivesNew(legacy('MESSAGE', { uri: 'sip:carol@example.org' }));
        play.receivesNew(legacy('MESSAGE', { fromTag: 'other' }));
        play.receivesNew(legacy('MESSAGE', { callId: 'other' }));
        play.receivesNew(legacy('MESSAGE', { cseq: 2 }));
        play.receivesNew(legacy('MESSAGE', { sentBy: 'other.example' }));
        const merged = play.receives(legacy('MESSAGE', { toTag: 'other' }));
        assert.deepEqual(merged, { type: 'refused', reason: 'merged' });
      });

      it('ties the ACK to the To tag of the refusal', () => {
        const play = new Play();
        const transaction = play.receivesNew(legacy('INVITE'));
        play.answers(transaction, 486, 'mine');
        assert.equal(play.receives(legacy('ACK', { toTag: 'another' })).type, 'ack');
        assert.equal(play.receives(legacy('ACK', { toTag: 'mine' })).type, 'absorbed');
        play.isEmpty();
      });

      it('finds the INVITE of a CANCEL, and shows the ACK for a 2xx', () => {
        const play = new Play();
        const invite = play.receivesNew(legacy('INVITE'));
        const cancel = play.receives(legacy('CANCEL'));
        assert(cancel.type === 'cancel');
        assert.equal(cancel.invite, invite);
        play.answers(invite, 200);
        assert.equal(play.receives(legacy('ACK', { toTag: 'uas' })).type, 'ack');
      });
    });
  }
});

describe('bounds and flows', () => {
  it('refuses what its tables cannot hold, but still cancels', () => {
    const play = new Play({ limits: { server: 1, client: 1 } });
    play.receivesNew(request('INVITE'));
    assert.deepEqual(play.receives(request('MESSAGE')), { type: 'refused', reason: 'full' });
    assert.equal(play.receives(request('INVITE')).type, 'absorbed');
    const invite = request('INVITE');
    const client = play.sends(invite);
    const more = { method: 'MESSAGE', branch: 'z9hG4bK-more', bytes: request('MESSAGE'), flow: 2 };
    const user = { onResponse() {}, onFailure() {} };
    assert.deepEqual(play.layer.request(more, user, 0), { type: 'refused', reason: 'full' });
    play.isAnswered(invite, 180);
    play.record();
    assert.deepEqual(play.cancels(client).record(), ['CANCEL']);
    assert.equal(play.layer.counts.client, 2);
  });

  it('fails what waits on a flow that closes, and nothing else', () => {
    const play = new Play();
    const answered = play.receivesNew(request('INVITE', { branch: 'z9hG4bK-1' }), 1);
    play.answers(answered, 200);
    play.receivesNew(request('MESSAGE', { branch: 'z9hG4bK-2' }), 1);
    play.receivesNew(request('MESSAGE', { branch: 'z9hG4bK-3' }), 7);
    play.sends(request('OPTIONS'), 1);
    play.record();
    assert.deepEqual(play.closes(1).record(), ['transport-failed OPTIONS', 'transport-failed MESSAGE']);
    assert.deepEqual(play.layer.counts, { server: 1, client: 0 });
    assert.deepEqual(play.closes(1).record(), []);
    play.closes(7).isEmpty();
  });
});
