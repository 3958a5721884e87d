import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '#platform/telemetry';
import type { ListenerPlan } from '#platform/topology';
import { ListenerTable } from './listener-table.ts';
import { ServiceSockets } from './service-sockets.ts';
import { askTcp, freePort, listener, listens } from './testdata/bench.ts';

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
  socket.emit('error', new Error('broken'));
  assert.equal(own.problem(), `${plan.id}: broken`);
  own.closeAll();
  assert.equal(own.problem(), undefined);
  table.reduceTo([]);
});
