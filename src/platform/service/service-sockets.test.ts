import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { memoryLog, silentLog } from '#platform/telemetry';
import type { ListenerPlan } from '#platform/topology';
import { ListenerTable } from './listener-table.ts';
import { ServiceSockets } from './service-sockets.ts';
import { ADDRESS, askTcp, freePort, listener, listens } from './testdata/bench.ts';

const sockets = () => new ServiceSockets(silentLog());

function hand(table: ListenerTable, to: ServiceSockets, plan: ListenerPlan): void {
  const socket = table.socket(plan.id);
  assert.ok(socket.ok);
  to.receive(plan.id, socket.value);
}

test('a listener asked for again is the same one with another handler; one that left the plan is closed', async () => {
  const own = sockets();
  const plan = listener('access', 'tcp', await freePort());
  const table = new ListenerTable();
  assert.ok(table.extend([plan]).ok);
  hand(table, own, plan);
  own.prepare([plan]);
  const first = own.tcp(plan.id, (socket) => socket.end('first'));
  own.settle();
  assert.equal(await askTcp(plan.port, ''), 'first');
  own.prepare([plan]);
  assert.equal(
    own.tcp(plan.id, (socket) => socket.end('second')),
    first,
  );
  own.settle();
  assert.equal(await askTcp(plan.port, ''), 'second');
  own.prepare([]);
  assert.throws(() => own.tcp(plan.id, () => {}), /no tcp listener/);
  own.settle();
  assert.equal(await listens(plan.port), false);
  table.reduceTo([]);
});

test('an abandoned plan closes what it added, claimed or not, and keeps the rest', async () => {
  const own = sockets();
  const [kept, claimed, waiting] = [
    listener('access', 'tcp', await freePort()),
    listener('access', 'tcp', await freePort()),
    listener('access', 'tcp', await freePort()),
  ];
  const table = new ListenerTable();
  assert.ok(table.extend([kept, claimed, waiting]).ok);
  hand(table, own, kept);
  own.prepare([kept]);
  own.tcp(kept.id, (socket) => socket.end('kept'));
  own.settle();
  hand(table, own, claimed);
  hand(table, own, waiting);
  own.prepare([kept, claimed, waiting]);
  own.tcp(claimed.id, () => {});
  own.abandon();
  assert.deepEqual(own.plan(), [kept]);
  assert.equal(await askTcp(kept.port, ''), 'kept');
  assert.equal(await listens(claimed.port), false);
  assert.throws(() => own.tcp(waiting.id, () => {}), /no tcp listener/);
  own.closeAll();
  table.reduceTo([]);
});

test('a socket that was never sent is a bug; one asked for again is the same', async () => {
  const own = sockets();
  const plan = listener('av', 'udp', await freePort());
  own.prepare([plan]);
  assert.throws(() => own.udp(plan.id), /has not sent the socket/);
  assert.throws(() => own.tcp(plan.id, () => {}), /no tcp listener/);
  const table = new ListenerTable();
  assert.ok(table.extend([plan]).ok);
  hand(table, own, plan);
  const socket = own.udp(plan.id);
  assert.equal(own.udp(plan.id), socket);
  own.settle();
  own.closeAll();
  table.reduceTo([]);
});

test('a server that fails is a problem until it leaves the plan; a datagram socket counts its errors and goes on', async () => {
  const log = memoryLog();
  const own = new ServiceSockets(log);
  const tcp = listener('access', 'tcp', await freePort());
  const udp = listener('av', 'udp', await freePort());
  const table = new ListenerTable();
  assert.ok(table.extend([tcp, udp]).ok);
  hand(table, own, tcp);
  hand(table, own, udp);
  own.prepare([tcp, udp]);
  const server = own.tcp(tcp.id, () => {});
  const [socket] = own.udp(udp.id);
  assert.ok(socket);
  own.settle();
  for (let time = 0; time < 3; time++) socket.emit('error', new Error('no buffer space'));
  assert.deepEqual([own.problem(), own.troubles, log.lines.length], [undefined, 3, 1]);
  server.emit('error', new Error('broken'));
  assert.equal(own.problem(), `${tcp.id}: broken`);
  own.closeAll();
  assert.equal(own.problem(), undefined);
  table.reduceTo([]);
});

test('a datagram socket sends through the lookup that the service gives', async () => {
  const own = sockets();
  const plan = listener('av', 'udp', await freePort());
  const table = new ListenerTable();
  assert.ok(table.extend([plan]).ok);
  hand(table, own, plan);
  own.prepare([plan]);
  const asked: string[] = [];
  const [socket] = own.udp(plan.id, {
    lookup(host, _options, done) {
      asked.push(host);
      done(null, ADDRESS, 4);
    },
  });
  assert.ok(socket);
  own.settle();
  const heard = once(socket, 'message');
  socket.send('to itself', plan.port, 'somewhere');
  assert.equal(String((await heard)[0]), 'to itself');
  assert.deepEqual(asked, ['somewhere']);
  own.closeAll();
  table.reduceTo([]);
});
