import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KamailioPartner, type KamailioPartnerOptions } from '../../../apps/lab/testing/kamailio-partner.ts';
import { request } from '../testing/messages.ts';
import { EDGE, type FederationLab, fromAlice, PARTNER, startFederation } from './testing/partners.ts';

/** Debian's Kamailio as the edge of a partner. Its own port is fixed, and so is ours, which it dials. */
async function startKamailio(
  t: TestContext,
  { lab }: FederationLab,
  change: Partial<KamailioPartnerOptions> = {},
): Promise<KamailioPartner> {
  const folder = mkdtempSync(join(tmpdir(), 'kamailio-'));
  const partner = await KamailioPartner.start({
    folder,
    addresses: [PARTNER.address],
    certificate: await lab.authority.issue({ name: 'partner', hosts: [PARTNER.proxy] }),
    authorityPem: lab.authority.certificatePem,
    ...change,
  });
  t.after(async () => {
    await partner.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return partner;
}

test('Kamailio as a partner: messages in both directions', async (t) => {
  const stage = await startFederation(t);
  const { fe, lab } = stage;
  const partner = await startKamailio(t, stage);
  const sending = partner.sends({
    from: 'sip:bob@partner.example',
    to: 'sip:alice@example.com',
    edge: `${EDGE.address}:${lab.document.policy.ports.accessFederation}`,
    socket: PARTNER.address,
  });
  const arrived = await fe.receivesRequest('MESSAGE');
  assert.match(
    arrived.header('Sallyport-Asserted-Source') ?? '',
    /^<sip:bob@partner\.example>;source=federated/,
  );
  fe.answers(arrived, 200);
  assert.equal(await sending, '200');
  fe.sends(
    request('MESSAGE', 'sip:bob@partner.example', fromAlice({ 'Content-Type': 'text/plain' }), 'dear bob'),
  );
  const line = await partner.took('dear bob');
  assert.match(line, /src=127\.0\.9\.10 verified=1 san=sip\.example\.com/);
  await fe.receives(200);
});
