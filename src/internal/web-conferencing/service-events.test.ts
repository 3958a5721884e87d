import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { EventRing } from '#platform/telemetry';
import { encodeOperation } from '#protocols/psom';
import { ServiceEvents } from './service-events.ts';
import { Table, until, Wire } from './testing/table.ts';

const told = (ring: EventRing) => ring.take(1000).map(({ name, fields }) => ({ name, ...fields }));

test('who comes in, by what, and why they left is told with conference and participant, and no token is', async () => {
  await using table = new Table();
  const alice = await table.join('alice@example.com');
  const { number } = alice;
  await alice.resume();
  const who = { conference: table.id, participant: number, address: '192.0.2.1' };
  await until(() => table.ring.size === 3);
  const records = table.ring.take(10);
  assert.deepEqual(
    records.map(({ name, fields }) => ({ name, ...fields })),
    [
      { name: 'participant-joined', by: 'conference', ...who },
      { name: 'participant-left', rule: 'reset', ...who },
      { name: 'participant-joined', by: 'resume', ...who },
    ],
  );
  assert.deepEqual(records[0]?.keys, { address: ['192.0.2.1'], conference: [table.id] });
  assert.ok(!JSON.stringify(records).includes(alice.admission.token));
});

test('whoever is refused without end fills no journal: how many were held back is told', async () => {
  await using table = new Table();
  const refused = () => {
    const wire = new Wire();
    table.reception.receive(wire);
    wire.arrive(Buffer.from(encodeOperation({ kind: 'join', version: 1, show: 'conference', token: 'x' })));
    return wire;
  };
  const wires = Array.from({ length: 80 }, refused);
  await until(() => wires.every(({ closed }) => closed));
  const before = told(table.ring);
  assert.equal(before.length, 50);
  assert.deepEqual(before[0], { name: 'participant-refused', rule: 'token', address: '192.0.2.1' });
  table.clock.advance(10_000);
  const late = refused();
  await until(() => late.closed);
  assert.deepEqual(told(table.ring), [
    { name: 'participant-refused', rule: 'token', address: '192.0.2.1', suppressed: 30 },
  ]);
});

test('that there is no link to an edge is told once, however often it is tried', () => {
  const clock = new ManualClock();
  const ring = new EventRing(clock, { items: 100, bytes: 10_000 });
  const events = new ServiceEvents(ring, clock);
  const notice = { peer: 'edge1', address: '192.0.2.9', reason: 'not-connected', detail: 'refused' } as const;
  for (let attempt = 0; attempt < 5; attempt++) events.edgeLeft(notice);
  events.edgeConnected('edge1');
  events.edgeLeft({ ...notice, reason: 'silent', detail: undefined });
  const about = { edge: 'edge1', address: '192.0.2.9' };
  assert.deepEqual(told(ring), [
    { name: 'edge-left', rule: 'not-connected', detail: 'refused', ...about },
    { name: 'edge-connected', edge: 'edge1' },
    { name: 'edge-left', rule: 'silent', detail: '', ...about },
  ]);
});
