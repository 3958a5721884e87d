import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { request } from '../../testing/messages.ts';
import { contactOf, passOn, signIn } from '../../testing/plays.ts';
import type { SipPeer } from '../../testing/sip-peer.ts';
import { linkKey, type Partner } from '../policy/partner-table.ts';
import {
  fromAlice,
  fromBob,
  PARTNER,
  refusedWith,
  startFederation,
  TestPartner,
} from '../testing/partners.ts';

/*
 * A connection serves whom it was verified for, and nobody else, in either direction and whoever opened it.
 */

const ALICE = 'sip:alice@example.com';
/** Another domain whose edge is the partner's. */
const SECOND = { domain: 'second.example', proxy: PARTNER.proxy, verification: 'use-source' } as const;
/** One with an edge of its own. */
const OTHER = { domain: 'other.example', proxy: 'sip.other.example', verification: 'use-source' } as const;

test('the name of a link: one a domain and edge, one a carrier', () => {
  const partner = (kind: Partner['kind'], domain: string, proxy?: string): string =>
    linkKey({ kind, domain, proxy, verification: 'use-source' });
  const different = [
    partner('allowed-server', 'a.example', 'sip.host.example'),
    partner('allowed-server', 'b.example', 'sip.host.example'),
    partner('allowed-server', 'a.example', 'sip.other.example'),
    partner('allowed-domain', 'a.example'),
    partner('allowed-domain', 'b.example'),
    partner('provider', 'a.example', 'sip.host.example'),
    partner('provider', 'a.example', 'sip.other.example'),
    partner('default-route', 'a.example', 'sip.host.example'),
  ];
  assert.equal(new Set(different).size, different.length);
  // The certificate of a carrier names its server, so there is nothing that could tell its domains apart.
  assert.equal(partner('provider', 'a.example', 'p.example'), partner('provider', 'b.example', 'p.example'));
  const route = (domain: string) => partner('default-route', domain, 'p.example');
  assert.equal(route('a.example'), route('b.example'));
  // A domain that is listed, or found, by its own records is verified by the same names.
  assert.equal(partner('allowed-domain', 'a.example'), partner('discovered', 'a.example'));
});

async function twoDomains(t: TestContext) {
  const { lab, fe } = await startFederation(t, ({ policy }) => {
    policy.federation.allowed.push(SECOND, OTHER);
  });
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const asks = (to: string) => fe.sends(request('MESSAGE', `sip:${to}`, fromAlice({ To: `<sip:${to}>` })));
  const arrives = async (at: SipPeer, uri: string): Promise<SipRequest> => {
    const arrived = await at.receivesRequest('MESSAGE');
    assert.equal(arrived.uri, `sip:${uri}`);
    at.answers(arrived, 200);
    await fe.receives(200);
    return arrived;
  };
  return { lab, fe, partner, asks, arrives };
}

test('two domains behind one name have a connection each, and each is used again for its own', async (t) => {
  const { partner, asks, arrives } = await twoDomains(t);
  asks('bob@partner.example');
  const first = await partner.connection();
  await arrives(first, 'bob@partner.example');
  asks('carol@second.example');
  const second = await partner.connection();
  await arrives(second, 'carol@second.example');
  for (const [at, to] of [
    [first, 'dave@partner.example'],
    [second, 'dave@second.example'],
    [first, 'bob@partner.example'],
  ] as const) {
    asks(to);
    await arrives(at, to);
  }
  assert.equal(partner.open.size, 2);
});

test('a request over a connection that the edge opened: its sender is held to the certificate, as if the partner had opened it', async (t) => {
  const { lab, fe, partner, asks, arrives } = await twoDomains(t);
  asks('bob@partner.example');
  const dialled = await partner.connection();
  await arrives(dialled, 'bob@partner.example');
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  const inside = await fe.receivesRequest('MESSAGE');
  assert.match(
    inside.header('Sallyport-Asserted-Source') ?? '',
    /^<sip:bob@partner\.example>;source=federated;/,
  );
  fe.sends(passOn(inside, contactOf('alice'), path));
  assert.equal((await client.receivesRequest('MESSAGE')).from.uri, 'sip:bob@partner.example');
  const refused: [number, Record<string, string>][] = [
    [1002, { From: '<sip:eve@other.example>;tag=1' }],
    [1017, { From: '<sip:carol@example.com>;tag=1' }],
    [1002, { From: '<sip:eve@elsewhere.example>;tag=1' }],
    [1002, { Via: 'SIP/2.0/TLS sip.other.example:5061;branch=z9hG4bKforged' }],
    [1002, { 'P-Asserted-Identity': '<sip:eve@other.example>' }],
  ];
  for (const [diagnostic, change] of refused) {
    dialled.sends(request('MESSAGE', ALICE, fromBob(change)));
    refusedWith(await dialled.receives(403), diagnostic);
  }
  // The document says that the other domain's edge bears this very name.
  dialled.sends(request('MESSAGE', ALICE, fromBob({ From: '<sip:carol@second.example>;tag=1' })));
  const second = await fe.receivesRequest('MESSAGE');
  assert.match(
    second.header('Sallyport-Asserted-Source') ?? '',
    /^<sip:carol@second\.example>;source=federated/,
  );
});

test('what a connection that the edge opened was found to speak for is asked anew under another document', async (t) => {
  const { lab, fe, partner, asks, arrives } = await twoDomains(t);
  asks('bob@partner.example');
  const dialled = await partner.connection();
  await arrives(dialled, 'bob@partner.example');
  const asCarol = () =>
    dialled.sends(request('MESSAGE', ALICE, fromBob({ From: '<sip:carol@second.example>;tag=1' })));
  asCarol();
  await fe.receivesRequest('MESSAGE');
  const second = lab.document.policy.federation.allowed.find(({ domain }) => domain === SECOND.domain);
  assert.ok(second !== undefined);
  second.proxy = 'sip.other.example';
  await lab.commit();
  asCarol();
  refusedWith(await dialled.receives(403), 1002);
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  assert.equal((await fe.receivesRequest('MESSAGE')).from.uri, 'sip:bob@partner.example');
});
