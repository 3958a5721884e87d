import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLifetime, Method } from '#protocols/stun';
import { RelayStage } from '../testing/relay-stage.ts';

test('an allocation ends with its lifetime, swept or not', () => {
  for (const swept of [true, false]) {
    const stage = new RelayStage();
    const client = stage.client();
    client.allocate();
    if (swept) stage.pass(600);
    else stage.passUnswept(600);
    client.sendChannel(0x4000, 'x');
    assert.deepEqual(stage.sink.drops, ['no-allocation']);
    assert.deepEqual(
      stage.sink.ended.map((end) => end.reason),
      ['lifetime-expired'],
    );
    assert.equal(stage.sink.closed.length, 1);
    assert.equal(stage.relay.ports.taken, 0);
    assert.equal(stage.relay.allocations.size, 0);
  }
});

test('a refresh prolongs it, and a refresh with 0 ends it', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate();
  stage.pass(599);
  assert.equal(client.refresh(), 0);
  stage.pass(599);
  assert.equal(stage.relay.allocations.size, 1);
  assert.equal(client.refresh(0), 0);
  assert.deepEqual(
    stage.sink.ended.map((end) => end.reason),
    ['deallocated'],
  );
  assert.equal(client.refresh(0), 437);
  client.allocate();
});

test('T17: the end of the credential ends the allocation in mid-session, and no refresh reaches beyond it', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall + 900_000);
  const client = stage.client();
  client.allocate();
  stage.pass(500);
  const refreshed = client.ask(client.proven(Method.Refresh));
  assert.deepEqual(decodeLifetime(refreshed), { ok: true, value: 400 });
  stage.pass(399);
  assert.equal(stage.relay.allocations.size, 1);
  stage.pass(1);
  assert.equal(stage.relay.allocations.size, 0);
  assert.deepEqual(
    stage.sink.ended.map((end) => end.reason),
    ['credential-expired'],
  );
  assert.equal(client.refresh(), 401);
});

test('T17: a refresh in the last second of a credential still ends with it', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall + 100_500);
  const client = stage.client();
  client.allocate();
  client.permit(['192.0.2.50', 0]);
  const relay = stage.sink.opened[0]?.relays[0];
  assert.ok(relay);
  stage.pass(99);
  stage.passUnswept(0.6);
  assert.deepEqual(decodeLifetime(client.ask(client.proven(Method.Refresh))), { ok: true, value: 1 });
  client.received();
  stage.passUnswept(0.9);
  stage.relay.handlePeerDatagram(relay, '192.0.2.50', 1, Buffer.from('x'), stage.now);
  assert.deepEqual(client.received(), []);
});

test('T17: a peer cannot reach an allocation whose credential is over, swept or not', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall + 100_000);
  const client = stage.client();
  client.allocate();
  client.permit(['192.0.2.50', 0]);
  client.received();
  const relay = stage.sink.opened[0]?.relays[0];
  assert.ok(relay);
  stage.passUnswept(100);
  stage.relay.handlePeerDatagram(relay, '192.0.2.50', 1, Buffer.from('x'), stage.now);
  assert.deepEqual(client.received(), []);
});

test('a jump of the wall clock does not change when a running allocation ends', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall + 300_000);
  stage.client().allocate();
  stage.wall -= 10_000_000;
  stage.pass(299);
  assert.equal(stage.relay.allocations.size, 1);
  stage.pass(1);
  assert.equal(stage.relay.allocations.size, 0);
});

test('a port rests after its allocation, while there are others', () => {
  const stage = new RelayStage({ ports: { first: 50_000, last: 50_001 } });
  const client = stage.client();
  const first = client.allocate();
  client.refresh(0);
  const second = client.allocate();
  assert.notEqual(second.port, first.port);
});
