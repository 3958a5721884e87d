import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Play, readRequest, request } from './testing/play.ts';

const unreliable = { reliable: () => false };

describe('client transaction, INVITE (RFC 3261 §17.1.1)', () => {
  it('rings, is answered, and shows every further 2xx for 64 * T1 (RFC 6026 §7.2)', () => {
    const play = new Play();
    const invite = request('INVITE');
    const transaction = play.sends(invite);
    assert.deepEqual(play.record(), ['INVITE']);
    assert.equal(play.isAnswered(invite, 180), 'response');
    assert.equal(play.isAnswered(invite, 200), 'response');
    assert.equal(transaction.state, 'accepted');
    assert.equal(play.wait(31_000).isAnswered(invite, 200, 2, 'another'), 'response');
    assert.equal(play.isAnswered(invite, 486), 'absorbed');
    assert.equal(play.wait(1000).isAnswered(invite, 200), 'no-transaction');
    assert.deepEqual(play.record(), []);
    play.isEmpty();
  });

  it('acknowledges a refusal itself and ends at once over reliable transport', () => {
    const play = new Play();
    const invite = request('INVITE', { routes: ['<sip:p1.example;lr>', '<sip:p2.example;lr>'], cseq: 7 });
    play.sends(invite);
    assert.equal(play.isAnswered(invite, 486), 'response');
    assert.deepEqual(play.record(), ['INVITE', 'ACK']);
    const ack = readRequest(play.sent.at(-1) ?? Buffer.alloc(0));
    assert.equal(ack.uri, 'sip:bob@example.org');
    assert.deepEqual([ack.cseq.number, ack.cseq.method], [7, 'ACK']);
    assert.equal(ack.to.tag, 'peer');
    assert.equal(ack.from.tag, 'alice');
    assert.equal(ack.topVia.branch, 'z9hG4bK-play');
    assert.equal(ack.vias().length, 1);
    assert.deepEqual(ack.values('Route'), ['<sip:p1.example;lr>', '<sip:p2.example;lr>']);
    play.isEmpty();
  });

  it('repeats the ACK for repeated refusals over unreliable transport until Timer D', () => {
    const play = new Play(unreliable);
    const invite = request('INVITE');
    const transaction = play.sends(invite);
    play.isAnswered(invite, 404);
    assert.equal(transaction.state, 'completed');
    assert.equal(play.wait(4000).isAnswered(invite, 404), 'absorbed');
    assert.equal(play.isAnswered(invite, 180), 'absorbed');
    assert.deepEqual(play.record(), ['INVITE', 'ACK', 'ACK']);
    play.wait(28_000).isEmpty();
  });

  it('retransmits by Timer A, doubling, and gives up by Timer B', () => {
    const play = new Play(unreliable);
    play.sends(request('INVITE'));
    const times: number[] = [];
    for (let at = 0; at < 33_000; at += 500) {
      if (play.wait(500).record().includes('INVITE')) times.push(play.now);
    }
    assert.deepEqual(times, [500, 1500, 3500, 7500, 15_500, 31_500]);
    play.isEmpty();
  });

  it('stops retransmitting on a provisional response', () => {
    const play = new Play(unreliable);
    const invite = request('INVITE');
    play.sends(invite);
    play.isAnswered(invite, 100);
    play.record();
    assert.deepEqual(play.wait(60_000).record(), []);
  });

  it('times out without any response, and never retransmits, over reliable transport', () => {
    const play = new Play();
    play.sends(request('INVITE'));
    assert.deepEqual(play.wait(31_999).record(), ['INVITE']);
    assert.deepEqual(play.wait(1).record(), ['timeout INVITE']);
    play.isEmpty();
  });

  it('is cancelled by Timer C when it only rings; each 18x begins it anew (RFC 3261 §16.7 step 2)', () => {
    const play = new Play();
    const invite = request('INVITE');
    play.sends(invite);
    play.isAnswered(invite, 180);
    play.wait(180_000).isAnswered(invite, 183);
    play.wait(180_000).isAnswered(invite, 100);
    assert.deepEqual(play.record(), ['INVITE']);
    assert.deepEqual(play.wait(5000).record(), ['CANCEL']);
    assert.equal(play.isAnswered(invite, 487), 'response');
    assert.deepEqual(play.record(), ['ACK']);
    play.wait(32_000).isEmpty();
  });
});

describe('CANCEL (RFC 3261 §9.1)', () => {
  it('waits for a provisional response', () => {
    const play = new Play();
    const invite = request('INVITE', { routes: ['<sip:p1.example;lr>'] });
    const transaction = play.sends(invite);
    assert.deepEqual(play.cancels(transaction).record(), ['INVITE']);
    play.isAnswered(invite, 100);
    assert.deepEqual(play.record(), ['CANCEL']);
    const cancel = readRequest(play.sent.at(-1) ?? Buffer.alloc(0));
    assert.equal(cancel.uri, 'sip:bob@example.org');
    assert.equal(cancel.topVia.branch, 'z9hG4bK-play');
    assert.equal(cancel.to.tag, undefined);
    assert.deepEqual(cancel.values('Route'), ['<sip:p1.example;lr>']);
    assert.deepEqual(play.cancels(transaction).record(), []);
    assert.equal(play.isSent(answerTo(play, 200)), 'absorbed');
    assert.equal(play.isAnswered(invite, 487), 'response');
    play.isEmpty();
  });

  it('is never sent when the final response comes first', () => {
    const play = new Play();
    const invite = request('INVITE');
    const transaction = play.sends(invite);
    play.cancels(transaction).isAnswered(invite, 486);
    assert.deepEqual(play.cancels(transaction).record(), ['INVITE', 'ACK']);
    play.isEmpty();
  });

  it('ends with its INVITE, so that a peer that answers no CANCEL cannot fill the table', () => {
    const play = new Play();
    const invite = request('INVITE');
    const transaction = play.sends(invite);
    play.isAnswered(invite, 180);
    play.cancels(transaction);
    play.isAnswered(invite, 487);
    assert.deepEqual(play.record(), ['INVITE', 'CANCEL', 'ACK']);
    play.isEmpty();
  });

  it('crosses with a 2xx: the 2xx wins and is shown', () => {
    const play = new Play();
    const invite = request('INVITE');
    const transaction = play.sends(invite);
    play.isAnswered(invite, 180);
    play.cancels(transaction);
    assert.equal(play.isAnswered(invite, 200), 'response');
    assert.equal(transaction.state, 'accepted');
    assert.deepEqual(play.record(), ['INVITE', 'CANCEL']);
    play.wait(32_000).isEmpty();
  });

  it('gives the INVITE 64 * T1 to end', () => {
    const play = new Play();
    const invite = request('INVITE');
    const transaction = play.sends(invite);
    play.isAnswered(invite, 180);
    play.cancels(transaction).record();
    play.wait(20_000).isAnswered(invite, 180);
    assert.deepEqual(play.wait(12_000).record(), ['timeout INVITE']);
    play.isEmpty();
  });

  it('has no effect on other methods', () => {
    const play = new Play();
    const transaction = play.sends(request('MESSAGE'));
    assert.deepEqual(play.cancels(transaction).record(), ['MESSAGE']);
  });

  function answerTo(play: Play, status: number): Buffer {
    const cancel = readRequest(
      play.sent.findLast((bytes) => bytes.toString().startsWith('CANCEL')) ?? Buffer.alloc(0),
    );
    return Buffer.from(
      `SIP/2.0 ${status} OK\r\nVia: SIP/2.0/TLS alice.example;branch=${cancel.topVia.branch}\r\n` +
        `From: <sip:alice@example.org>;tag=alice\r\nTo: <sip:bob@example.org>;tag=x\r\n` +
        `Call-ID: ${cancel.callId}\r\nCSeq: ${cancel.cseq.number} CANCEL\r\nContent-Length: 0\r\n\r\n`,
    );
  }
});

describe('client transaction, other methods (RFC 3261 §17.1.2)', () => {
  it('ends at once on the final response over reliable transport', () => {
    const play = new Play();
    const message = request('MESSAGE');
    play.sends(message);
    assert.equal(play.isAnswered(message, 200), 'response');
    assert.equal(play.isAnswered(message, 200), 'no-transaction');
    play.isEmpty();
  });

  it('retransmits by Timer E up to T2, slower once it proceeds, and gives up by Timer F', () => {
    const play = new Play(unreliable);
    const message = request('MESSAGE');
    play.sends(message);
    const times: number[] = [];
    for (let at = 0; at < 33_000; at += 500) {
      if (play.wait(500).record().includes('MESSAGE')) times.push(play.now);
    }
    assert.deepEqual(times, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    play.isEmpty();
  });

  it('keeps a provisional response from changing anything but the pace', () => {
    const play = new Play(unreliable);
    const message = request('MESSAGE');
    play.sends(message);
    play.record();
    assert.equal(play.isAnswered(message, 100), 'response');
    assert.deepEqual(play.wait(500).record(), ['MESSAGE']);
    assert.deepEqual(play.wait(3999).record(), []);
    assert.deepEqual(play.wait(1).record(), ['MESSAGE']);
    assert.equal(play.isAnswered(message, 200), 'response');
    assert.equal(play.isAnswered(message, 200), 'absorbed');
    play.wait(5000).isEmpty();
  });

  it('says timeout once', () => {
    const play = new Play();
    play.sends(request('OPTIONS'));
    assert.deepEqual(play.wait(100_000).record(), ['OPTIONS', 'timeout OPTIONS']);
    play.isEmpty();
  });
});

describe('matching of responses (RFC 3261 §17.1.3)', () => {
  it('takes branch and CSeq method together', () => {
    const play = new Play();
    play.sends(request('MESSAGE'));
    assert.equal(play.isAnswered(request('OPTIONS'), 200), 'no-transaction');
    assert.equal(play.isAnswered(request('MESSAGE', { branch: 'z9hG4bK-other' }), 200), 'no-transaction');
    assert.equal(play.isAnswered(request('MESSAGE', { branch: null }), 200), 'no-branch');
    assert.equal(play.isAnswered(request('MESSAGE', { branch: 'old' }), 200), 'no-branch');
    assert.equal(play.isAnswered(request('MESSAGE'), 200), 'response');
  });

  it('takes a response only from a flow of the same scope', () => {
    const play = new Play({ scope: (flow) => `${flow % 2}` });
    const message = request('MESSAGE');
    play.sends(message, 2);
    assert.equal(play.isAnswered(message, 200, 3), 'no-transaction');
    assert.equal(play.isAnswered(message, 200, 4), 'response');
  });

  it('refuses a second request with a branch in use', () => {
    const play = new Play();
    const bytes = request('MESSAGE');
    play.sends(bytes);
    const again = { method: 'MESSAGE', branch: 'z9hG4bK-play', bytes, flow: 2 };
    const outcome = play.layer.request(again, { onResponse() {}, onFailure() {} }, 0);
    assert.deepEqual(outcome, { type: 'refused', reason: 'duplicate-branch' });
  });
});
