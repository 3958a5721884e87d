import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
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
