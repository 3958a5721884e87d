import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { request } from '../testing/messages.ts';
import type { PartnerConnection } from './connections/partner-connection.ts';
import { Farewell } from './farewell.ts';
import { fromAlice, fromBob, startFederation, TestPartner } from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

test('who is taken from the list is refused from then on, but gets and gives the answers that are due, and then is closed', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const dialled = await partner.dials(lab);
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  const inward = await fe.receivesRequest('MESSAGE');
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const theirs = await partner.connection();
  const outward = await theirs.receivesRequest('MESSAGE');
  lab.document.policy.federation.allowed = [];
  await lab.commit();

  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  await dialled.receives(403);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await fe.receives(403);
  fe.answers(inward, 200);
  await dialled.receives(200);
  theirs.answers(outward, 200);
  await fe.receives(200);
  await Promise.all([dialled.isClosed(), theirs.isClosed()]);
});

test('who is put on the list again meanwhile keeps its connection', async (t) => {
  const { lab, fe } = await startFederation(t);
  const dialled = await (await TestPartner.create(t, lab)).dials(lab);
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  const inward = await fe.receivesRequest('MESSAGE');
  const { federation } = lab.document.policy;
  const before = federation.allowed;
  for (const allowed of [[], before]) {
    federation.allowed = allowed;
    await lab.commit();
  }
  fe.answers(inward, 200);
  await dialled.receives(200);
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await dialled.receives(200);
});

test('an answer that does not come is not waited for longer than a transaction lasts', async () => {
  const clock = new ManualClock();
  const closed: PartnerConnection[] = [];
  const connection = (unanswered: number) => ({ flow: { open: true, unanswered } }) as PartnerConnection;
  const [busy, idle, lent] = [connection(1), connection(0), connection(0)];
  const farewell = new Farewell({
    clock,
    mayStay: () => false,
    lent: (one) => one === lent,
    close: (one) => closed.push(one),
  });
  farewell.begin([busy, idle, lent]);
  assert.deepEqual(closed, [idle]);
  clock.advance(31_000);
  assert.deepEqual(closed, [idle]);
  clock.advance(1000);
  assert.deepEqual(closed, [idle, busy, lent]);
  farewell.stop();
});
