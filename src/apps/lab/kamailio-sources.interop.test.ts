import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LabAuthority } from '#platform/pki';
import { Kamailio } from './testing/kamailio.ts';
import { KamailioPartner } from './testing/kamailio-partner.ts';
import { Perimeter } from './testing/perimeter.ts';
import { SoftphoneUser } from './testing/softphone-user.ts';

/*
 * The Kamailio of docs/guides/kamailio-next-hop tells apart who stands behind a request: a user of ours outside, somebody at
 * a partner, somebody at a public provider. Another Kamailio is the edge of the other two.
 */
const NETWORK = 63;
const OUTSIDE = `127.${NETWORK}.3.10`;
const PARTNER = { domain: 'partner.example', proxy: 'sip.partner.example' };
const PROVIDER = { domain: 'messenger.example', proxy: 'federation.messenger.example' };

let perimeter: Perimeter;
let kamailio: Kamailio;
let partner: KamailioPartner;
let alice: SoftphoneUser;
const folder = mkdtempSync(join(tmpdir(), 'kamailio-sources-'));

before(async () => {
  const authority = await LabAuthority.create({ name: 'Public authority' });
  const partnerCa = join(folder, 'public-ca.pem');
  writeFileSync(partnerCa, authority.certificatePem);
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: false,
    clientAuth: true, // without it Kamailio does not let the edge in when that dials
    hosts: { [PARTNER.proxy]: OUTSIDE, [PROVIDER.proxy]: OUTSIDE },
    change: ({ host, policy }, { metrics }) => {
      Object.assign(host, { partnerCa, resolvers: [metrics.address] });
      policy.features = { federation: true, publicProviders: true };
      policy.federation = {
        allowed: [{ ...PARTNER, verification: 'always-verifiable' }],
        allowedNetworks: [`${OUTSIDE}/32`],
      };
      policy.publicProviders = [
        {
          ...{ name: 'Messenger', kind: 'public', proxy: PROVIDER.proxy, enabled: true },
          ...{ domains: [PROVIDER.domain], verification: 'always-unverifiable' },
        },
      ];
      policy.revocation = { shortLivedDays: 10_000 };
    },
  });
  const { plan, secrets, files } = perimeter;
  kamailio = Kamailio.start({ plan, accounts: secrets.passwords, outsiders: 'federated|provider' });
  partner = await KamailioPartner.start({
    folder: join(folder, 'partner'),
    addresses: [OUTSIDE],
    certificate: await authority.issue({ name: 'partner', hosts: [PARTNER.proxy, PROVIDER.proxy] }),
    authorityPem: readFileSync(files.authority, 'utf8'),
  });
  await perimeter.start();
  alice = await SoftphoneUser.connect({ perimeter, person: 'alice', tone: 400 });
  await alice.signIn();
});

after(async () => {
  await Promise.allSettled([alice?.close(), partner?.stop(), kamailio?.stop()]);
  await perimeter?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A message of `from` by way of the partner's edge; gives the status of the answer. */
function writes(from: string, text: string): Promise<string> {
  const edge = `${perimeter.plan.access.address}:5061`;
  return partner.sends({ from, to: alice.phone.address, edge, socket: OUTSIDE, text });
}

describe('Kamailio as the next hop knows who stands behind a request', () => {
  test('somebody at a partner: federated and verified', async () => {
    assert.equal(await writes(`sip:bob@${PARTNER.domain}`, 'from a partner'), '200');
    const { from, text } = await alice.messages.next();
    assert.deepEqual([from, text], [`sip:bob@${PARTNER.domain}`, 'from a partner']);
    await kamailio.program.printed(
      /MESSAGE of sip:bob@partner\.example to .*: source=federated verified=yes/,
    );
  });

  test('somebody at a public provider: a provider, and not verified', async () => {
    assert.equal(await writes(`sip:dave@${PROVIDER.domain}`, 'from a provider'), '200');
    assert.equal((await alice.messages.next()).text, 'from a provider');
    await kamailio.program.printed(
      /MESSAGE of sip:dave@messenger\.example to .*: source=provider verified=no/,
    );
  });

  test('a user of ours writes to both, by way of the edge', async () => {
    for (const [user, domain] of [
      ['bob', PARTNER.domain],
      ['dave', PROVIDER.domain],
    ]) {
      await alice.phone.message(`sip:${user}@${domain}`, `to ${domain}`);
      const line = await partner.took(`to ${domain}`);
      assert.match(line, /verified=1 san=sip\.lab\.test/);
    }
    await assert.rejects(() => alice.phone.message('sip:x@elsewhere.example', 'nobody'), /MESSAGE: 403/);
  });

  test('who claims to be one of us from outside is refused by the edge, not by Kamailio', async () => {
    assert.equal(await writes(alice.phone.address, 'from within?'), '403');
  });
});
