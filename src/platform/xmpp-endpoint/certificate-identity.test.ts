import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speaksForDomain } from './index.ts';

const nothing = { dns: [], ip: [], uri: [], xmpp: [], srv: [] };

test('X5: which names of a certificate speak for an XMPP domain (RFC 6120 §13.7.1.2)', () => {
  const speaks = [
    { xmpp: ['XMPP.Example'] },
    { srv: ['_xmpp-server.xmpp.example'] },
    { srv: ['_xmpps-server.xmpp.example'] },
    { dns: ['xmpp.example'] },
  ];
  for (const names of speaks) assert.equal(speaksForDomain({ ...nothing, ...names }, 'xmpp.example'), true);
  assert.equal(speaksForDomain({ ...nothing, dns: ['*.corp.example'] }, 'xmpp.corp.example'), true);
});

test('X5: names of other services, other domains and wildcards over more than a label do not', () => {
  const silent = [
    { srv: ['_xmpp-client.xmpp.example'] },
    { srv: ['_sip.xmpp.example'] },
    { dns: ['host.xmpp.example'] },
    { dns: ['*.xmpp.example'] },
    { uri: ['xmpp:xmpp.example'] },
    { xmpp: ['user@xmpp.example'] },
  ];
  for (const names of silent) assert.equal(speaksForDomain({ ...nothing, ...names }, 'xmpp.example'), false);
  assert.equal(speaksForDomain({ ...nothing, dns: ['*.example'] }, 'a.xmpp.example'), false);
});
