import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../testing/messages.ts';
import {
  fromAlice,
  fromBob,
  PARTNER,
  refusedWith,
  startFederation,
  TestPartner,
} from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

test('[S12] no partner tells a client of ours that it is signed out, has other settings, or is to begin anew', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  for (const method of ['NOTIFY', 'BENOTIFY', 'SUBSCRIBE'])
    for (const Event of [
      'registration-notify',
      'vnd-microsoft-provisioning-v2',
      'vnd-microsoft-roaming-contacts',
      'Check-Sync;reboot=true',
      ' ua-profile ;profile-type=user',
      'reg',
      ['presence', 'check-sync'],
    ]) {
      const change = { Event, 'Subscription-State': 'terminated' };
      partner.sends(request(method, ALICE, fromBob(change)));
      refusedWith(await partner.receives(403), 1027);
      fe.sends(request(method, BOB, fromAlice(change)));
      refusedWith(await fe.receives(403), 1027);
    }
  for (const Event of ['presence', 'regional', 'check-syncs']) {
    const change = { Event, 'Subscription-State': 'active' };
    partner.sends(request('NOTIFY', ALICE, fromBob(change)));
    assert.equal((await fe.receivesRequest('NOTIFY')).header('Event'), Event);
  }
});

test('[S12] no partner has a telephone of ours answer by itself, ring as it likes, or asks to be asserted as somebody', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const wishes = {
    'Answer-Mode': 'Auto;require',
    'Priv-Answer-Mode': 'Auto',
    'Alert-Info': '<http://partner.example/>;info=alert-autoanswer;delay=0',
    'P-Preferred-Identity': '<sip:ceo@example.com>',
  };
  const picture = '<https://partner.example/bob.png>;purpose=icon';
  const infos = [`${picture}, <sip:partner.example>; answer-after=0`, picture];
  for (const info of infos) {
    partner.sends(request('INVITE', ALICE, fromBob({ ...wishes, 'Call-Info': info })));
    const invite = await fe.receivesRequest('INVITE');
    for (const name of Object.keys(wishes)) assert.ok(!invite.has(name), name);
    assert.equal(invite.header('Call-Info'), info === picture ? picture : undefined);
  }
});

test('a partner asserts whom its certificate speaks for, also of a domain of which nobody has written before', async (t) => {
  const other = 'second.example';
  const { lab, fe } = await startFederation(t, ({ policy }) => {
    policy.federation.allowed.push({ domain: other, proxy: undefined, verification: 'always-verifiable' });
    policy.federation.blocked = [{ domain: 'third.example' }];
    for (const entry of policy.federation.allowed) entry.verification = 'always-verifiable';
  });
  const hosts = [PARTNER.proxy, other, 'third.example'];
  const partner = await (await TestPartner.create(t, lab, { hosts })).dials(lab);
  const asserts = (who: string) =>
    partner.sends(request('MESSAGE', ALICE, fromBob({ 'P-Asserted-Identity': `<sip:bob@${who}>` })));
  for (const who of ['third.example', 'fourth.example', 'example.com']) {
    asserts(who);
    await partner.receives(403);
  }
  asserts(other);
  assert.equal((await fe.receivesRequest('MESSAGE')).header('P-Asserted-Identity'), `<sip:bob@${other}>`);
});
