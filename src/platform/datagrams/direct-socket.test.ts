import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import type { DatagramCounters } from './datagrams.ts';
import { DirectSocket, SendSlot } from './direct-socket.ts';
import type { HandleHolder, SendRequest, SocketHandle } from './runtime-handle.ts';
import { zeroCounters } from './zero-counters.ts';

/** A handle that does as it is told; loopback never has a full queue. */
class ScriptedHandle implements SocketHandle {
  onmessage: SocketHandle['onmessage'] = () => assert.fail('nobody receives');
  /** What the next send answers; octets + 1 when undefined. */
  answer: number | undefined;
  readonly sent: { readonly request: SendRequest; readonly text: string }[] = [];

  send(request: SendRequest, list: readonly Uint8Array[], count: number): number {
    assert.equal(count, 1);
    const [bytes = assert.fail('nothing to send')] = list;
    this.sent.push({ request, text: Buffer.from(bytes).toString() });
    return this.answer ?? bytes.length + 1;
  }
}

class Bench {
  readonly handle = new ScriptedHandle();
  readonly holder: { handle: SocketHandle | null } & HandleHolder = { handle: this.handle };
  readonly heard: string[] = [];
  readonly counters: DatagramCounters = zeroCounters();
  readonly socket = new DirectSocket(
    { holder: this.holder, close: (done) => done() },
    { address: '127.0.9.71', port: 9 },
    (bytes, address, port) => this.heard.push(`${bytes} ${address} ${port}`),
    { counters: this.counters, queuedBytes: 8, ended: () => {} },
    new SendSlot(() => ({})),
  );

  send(text: string) {
    return this.socket.send(Buffer.from(`-${text}-`), 1, text.length + 1, '127.0.9.72', 7);
  }
}

test('what the kernel cannot take waits with its bytes and a request of its own, up to the bound', () => {
  const bench = new Bench();
  const { handle, counters } = bench;
  handle.answer = 0;
  assert.equal(bench.send('one'), undefined);
  assert.equal(bench.send('three'), undefined);
  assert.equal(bench.send('two'), 'queue-full');
  assert.equal(counters.queueFull, 1);
  const [first, second] = handle.sent;
  assert.ok(first && second && first.request !== second.request);
  assert.equal(String(first.request.list?.[0]), 'one');
  assert.equal(String(second.request.list?.[0]), 'three');
  assert.equal(counters.sent, 0);
  first.request.oncomplete?.(0, 3);
  assert.deepEqual([counters.sent, counters.sentBytes], [1, 3]);
  handle.answer = undefined;
  assert.equal(bench.send('two'), undefined);
  assert.deepEqual([counters.sent, counters.sentBytes], [2, 6]);
  second.request.oncomplete?.(-constants.errno.ECONNREFUSED, 0);
  assert.equal(counters.errors.refused, 1);
  assert.equal(counters.sent, 2);
});

test('what waits when the socket closes is nobody’s error', () => {
  const bench = new Bench();
  bench.handle.answer = 0;
  bench.send('late');
  bench.handle.sent[0]?.request.oncomplete?.(-constants.errno.ECANCELED, 0);
  assert.deepEqual(new Set(Object.values(bench.counters.errors)), new Set([0]));
});

test('errors of sending and of receiving are counted by kind', () => {
  const bench = new Bench();
  bench.handle.answer = -constants.errno.EMSGSIZE;
  assert.equal(bench.send('x'), undefined);
  assert.equal(bench.counters.errors['too-big'], 1);
  const remote = { address: '127.0.9.72', port: 7 };
  bench.handle.onmessage(-constants.errno.ENOMEM, undefined, Buffer.alloc(0), remote);
  assert.equal(bench.counters.errors['no-buffers'], 1);
  assert.deepEqual(bench.heard, []);
  bench.handle.onmessage(2, undefined, Buffer.from('in'), remote);
  assert.deepEqual(bench.heard, ['in 127.0.9.72 7']);
});

test('nothing is sent through a handle that its socket has let go', () => {
  const bench = new Bench();
  bench.holder.handle = null;
  assert.equal(bench.send('x'), 'closed');
  assert.deepEqual(bench.handle.sent, []);
});
