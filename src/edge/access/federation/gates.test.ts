import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import { dialogResponse, passBack } from '../testing/plays.ts';
import {
  type FederationLab,
  fromAlice,
  fromBob,
  refusedWith,
  startFederation,
  TestPartner,
} from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

/** The rules that events of this kind name, in order; what was taken once is not told again. */
function rules(lab: AccessLab, event: string): unknown[] {
  return lab.events
    .take(1000)
    .filter(({ name }) => name === event)
    .map(({ fields }) => fields?.rule);
}

/** Alice's message for bob is refused by this rule, whose number says what bob's side is told. */
async function refusesOutward({ lab, fe }: FederationLab, rule: string): Promise<void> {
  rules(lab, '');
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  refusedWith(await fe.receives(403), 1002);
  assert.deepEqual(rules(lab, 'partner-message-refused'), [rule]);
}

test('two switches, of which each closes the way to and from everybody elsewhere, by a rule of its own [setting policy.federation.enabled] [setting policy.features.federation]', async (t) => {
  const stage = await startFederation(t);
  const { lab, fe } = stage;
  const { policy } = lab.document;
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const exchanges = async () => {
    const inward = await partner.dials(lab);
    inward.sends(request('MESSAGE', ALICE, fromBob()));
    fe.answers(await fe.receivesRequest('MESSAGE'), 200);
    await inward.receives(200);
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    const theirs = await partner.connection();
    theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
    await fe.receives(200);
    return inward;
  };
  const closedBy = async (rule: string) => {
    const before = await exchanges();
    return async () => {
      await lab.commit();
      await before.isClosed();
      const shown = (await lab.service.verbs['federation-partners']?.({})) as { closed?: string } | undefined;
      assert.equal(shown?.closed, rule);
      await refusesOutward(stage, rule);
      await (await partner.dials(lab)).isClosed();
      assert.deepEqual(rules(lab, 'partner-connection-refused'), [rule]);
    };
  };
  const byOrganisation = await closedBy('federation-not-allowed');
  policy.federation.enabled = false;
  await byOrganisation();
  policy.features.federation = false;
  await lab.commit();
  await refusesOutward(stage, 'federation-not-allowed');
  policy.federation.enabled = true;
  await lab.commit();
  await refusesOutward(stage, 'federation-off');
  policy.features.federation = true;
  await lab.commit();
  const byTopology = await closedBy('federation-off');
  policy.features.federation = false;
  await byTopology();
});

test('who loses the right in a call may still end it, from either side, and do nothing else in it', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const inward = await partner.dials(lab);
  const contact = 'sip:bob@phone.partner.example:5061;transport=tls';
  const call: Record<string, string | string[]> = { ...fromBob(), Contact: `<${contact}>` };
  inward.sends(request('INVITE', ALICE, call));
  const invite = await fe.receivesRequest('INVITE');
  const recorded = invite.values('Record-Route');
  const more = { Contact: '<sip:alice@10.45.1.7:5061>', 'Record-Route': recorded.join(', ') };
  fe.sends(passBack(dialogResponse(invite, 200, { tag: 'callee', ...more }).toString()));
  const answered = await inward.receives(200);
  const To = answered.header('To') ?? '';
  const target = /<(sip:~[^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? '';
  const fromPartner = (method: string, route = answered.values('Record-Route')[0] ?? '') => {
    const dialog = { To, Route: route, 'Call-ID': String(call['Call-ID']), Contact: `<${contact}>` };
    inward.sends(request(method, target, { ...fromBob(), ...dialog, CSeq: `2 ${method}` }));
  };
  const fromUs = (method: string) => {
    const dialog = { From: To, To: String(call.From), Route: recorded.join(', ') };
    fe.sends(request(method, contact, { ...fromAlice(), ...dialog, 'Call-ID': String(call['Call-ID']) }));
  };
  lab.document.policy.externalAccess.users = [{ user: 'alice@example.com', remote: true, federation: false }];
  await lab.commit();
  fromPartner('INFO');
  refusedWith(await inward.receives(403), 1002);
  fromUs('INFO');
  refusedWith(await fe.receives(403), 1002);
  fromPartner('BYE');
  fe.answers(await fe.receivesRequest('BYE'), 200);
  await inward.receives(200);
  fromUs('BYE');
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('BYE'), 200);
  await fe.receives(200);
  // A BYE of no dialog of ours ends nothing.
  inward.sends(request('BYE', ALICE, { ...fromBob(), To }));
  refusedWith(await inward.receives(403), 1002);
});

test('who kept the device of a user may reach it with something new only as somebody of ours, or as anybody may', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const inward = await partner.dials(lab);
  fe.sends(request('INVITE', BOB, { ...fromAlice(), Contact: '<sip:alice@10.45.1.7:5061>' }));
  const shown = (await (await partner.connection()).receivesRequest('INVITE')).header('Contact') ?? '';
  await fe.receives(100);
  const target = /<(sip:~[^>]+)>/.exec(shown)?.[1] ?? '';
  const asks = (to: string) => inward.sends(request('MESSAGE', target, fromBob({ To: `<${to}>` })));
  const arrives = async () => {
    const message = await fe.receivesRequest('MESSAGE');
    assert.match(message.uri, /^sip:alice@10\.45\.1\.7:5061/);
    fe.answers(message, 200);
    await inward.receives(200);
  };
  const { externalAccess } = lab.document.policy;
  for (const to of ['sip:anybody@elsewhere.example', ALICE]) {
    asks(to);
    await arrives();
  }
  externalAccess.federation = false;
  externalAccess.users = [{ user: 'alice@example.com', remote: true, federation: true }];
  await lab.commit();
  for (const to of ['sip:anybody@elsewhere.example', target, 'tel:+15550100']) {
    asks(to);
    refusedWith(await inward.receives(403), 1002);
  }
  asks(ALICE);
  await arrives();
});
