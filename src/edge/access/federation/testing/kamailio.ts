import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  KamailioPartner,
  type KamailioPartnerOptions,
} from '../../../../apps/lab/testing/kamailio-partner.ts';
import { EDGE, type FederationLab, PARTNER } from './partners.ts';

/** Debian's Kamailio as the edge of a partner. Its own port is fixed, and so is ours, which it dials. */
export async function startKamailio(
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

/** It sends a MESSAGE to alice by our edge; gives the status of the answer, 408 when none came. */
export function sendsToAlice(
  partner: KamailioPartner,
  { lab }: FederationLab,
  from = 'sip:bob@partner.example',
): Promise<string> {
  return partner.sends({
    from,
    to: 'sip:alice@example.com',
    edge: `${EDGE.address}:${lab.document.policy.ports.accessFederation}`,
    socket: PARTNER.address,
  });
}
