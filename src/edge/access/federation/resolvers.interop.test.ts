import assert from 'node:assert/strict';
import { test } from 'node:test';
import { served, startDnsmasq, startSilence } from '../../../platform/dns/testing/dnsmasq.ts';
import { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import { fromAlice, PARTNER, TestPartner } from './testing/partners.ts';

test('a partner is found by the name servers of the document, dnsmasq here, and when they are silent the next hop is told so [setting host.resolvers]', async (t) => {
  const place = await startDnsmasq(
    t,
    served([
      {
        origin: PARTNER.domain,
        records: [
          { type: 'A', name: PARTNER.proxy, address: PARTNER.address, why: [] },
          {
            type: 'SRV',
            name: `_sipfederationtls._tcp.${PARTNER.domain}`,
            target: PARTNER.proxy,
            port: 5061,
            priority: 0,
            weight: 0,
            why: [],
          },
        ],
      },
    ]),
    true,
  );
  const silence = await startSilence(t);
  const lab = await AccessLab.start(t, {
    change: ({ host, policy }) => {
      host.partnerCa = host.internalCa;
      host.resolvers = [place.split(':')[0] ?? ''];
      policy.features.federation = true;
      policy.federation.allowedNetworks = ['127.0.9.40/29'];
      policy.federation.allowed = [{ domain: PARTNER.domain, proxy: undefined, verification: 'use-source' }];
      policy.revocation.shortLivedDays = 10_000;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const asks = () => fe.sends(request('MESSAGE', `sip:bob@${PARTNER.domain}`, fromAlice()));
  asks();
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  theirs.ends();

  // What one server said is not asked of another: with another list, everything is asked anew.
  lab.document.host.resolvers = [silence];
  await lab.commit();
  asks();
  assert.match((await fe.receives(504)).header('ms-diagnostics-public') ?? '', /^1008;/);
  lab.document.host.resolvers = [place.split(':')[0] ?? ''];
  await lab.commit();
  asks();
  const again = await partner.connection();
  again.answers(await again.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
});
