import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAssertedSource, parseAssertedSource } from './asserted-source.ts';
import { formatMessageTrust, isSaidVerified } from './message-trust.ts';

test('a mark that an edge writes is read back', () => {
  for (const mark of [
    { address: 'alice@example.test', source: 'remote-user', edge: 'edge1.int.test' },
    { address: 'bob@partner.test', source: 'federated', verified: true, edge: 'edge1.int.test' },
    { address: 'carol@provider.test', source: 'provider', verified: false, edge: 'edge1.int.test' },
    { address: 'd@hosted.test', source: 'federated', verified: false, edge: 'e.test', contactsOnly: true },
    { address: 'guest@nowhere.test', source: 'guest', edge: 'edge1.int.test' },
  ] as const) {
    assert.deepEqual(parseAssertedSource(formatAssertedSource(mark)), mark);
  }
});

test('what an edge would not write is no mark', () => {
  for (const text of [
    '',
    'alice@example.test',
    '<sip:alice@example.test>',
    '<sip:alice@example.test>;source=remote-user',
    '<sip:alice@example.test>;source=partner;edge=e',
    '<sip:alice@example.test>;source=federated;verified=maybe;edge=e',
    '<tel:+331>;source=remote-user;edge=e',
    '<sip:alice@example.test>;source=federated;verified=no;edge=e;deliver=everybody',
    '<sip:alice@example.test>;source=federated;verified=no;edge=e;deliver',
  ]) {
    assert.equal(parseAssertedSource(text), undefined, text);
  }
});

test('the mark of the original says class, level and network', () => {
  const trust = { type: 'DirectPartner', edge: 'e.test', verified: false, network: 'federation' } as const;
  const text =
    'ms-source-type=DirectPartner;ms-ep-fqdn=e.test;ms-source-verified-user=unverified;ms-source-network=federation';
  assert.equal(formatMessageTrust(trust), text);
  assert.equal(formatMessageTrust({ ...trust, remote: 'p.test' }), `${text};ms-remote-fqdn=p.test`);
});

test('a sender is verified only if the partner says so in the one way there is', () => {
  assert.ok(isSaidVerified(' MS-Source-Verified-User=verified'));
  for (const other of [undefined, '', 'verified', 'ms-source-verified-user=unverified']) {
    assert.ok(!isSaidVerified(other), String(other));
  }
});
