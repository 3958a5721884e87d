import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element, readXmlDocument, writeXml } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { type DevicePresence, priorityOf, qualityOf, readPresence, writePresence } from './presence.ts';
import { readPresenceDocument, writePresenceDocument } from './presence-document.ts';
import { smallDocument } from './typing.ts';

function stanza(type: string, inside: string) {
  const read = readXmlDocument(
    Buffer.from(`<presence xmlns='jabber:server' xml:lang='en' ${type}>${inside}</presence>`),
    smallDocument,
  );
  assert.ok(read.ok);
  return read.value;
}

test('presence of XMPP is read; subscriptions, probes and errors are no notifications (RFC 8048 §6)', () => {
  const inside = '<show>away</show><status>out</status><priority>13</priority>';
  assert.deepEqual(readPresence(stanza('', inside), 'balcony'), {
    resource: 'balcony',
    available: true,
    show: 'away',
    status: { text: 'out', language: 'en' },
    priority: 13,
  });
  assert.equal(readPresence(stanza("type='unavailable'", ''), 'r')?.available, false);
  for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'error']) {
    assert.equal(readPresence(stanza(`type='${type}'`, ''), 'r'), undefined, type);
  }
  assert.equal(readPresence(stanza('', '<priority>-1</priority>'), 'r')?.priority, undefined);
  assert.equal(readPresence(stanza('', '<show>bored</show>'), 'r')?.show, undefined);
});

test('priorities become quality values of three decimals (RFC 8048 §6)', () => {
  assert.deepEqual([0, 1, 2, 126, 127].map(qualityOf), [0, 0.007, 0.015, 0.992, 1]);
  for (let priority = 0; priority < 128; priority++) {
    assert.equal(priorityOf(qualityOf(priority)), priority);
  }
  assert.equal(priorityOf(1.5), undefined);
  assert.equal(priorityOf(Number.NaN), undefined);
});

test('what XMPP says survives the way to a document and back', () => {
  const devices: DevicePresence[] = [
    {
      resource: 'balcony',
      available: true,
      show: 'dnd',
      status: { text: 'busy', language: 'de' },
      priority: 5,
    },
    { resource: '4 / _x_é', available: true, show: undefined, status: undefined, priority: undefined },
    { resource: undefined, available: false, show: undefined, status: undefined, priority: undefined },
  ];
  const document = writePresenceDocument('sip:juliet@example.com', devices);
  assert.match(
    document.toString(),
    /<tuple id="ID-balcony"><status><basic>open<\/basic><show xmlns="jabber:client">dnd/,
  );
  assert.deepEqual(readPresenceDocument(document), devices);
});

test('the most interesting device stands first', () => {
  const document = writePresenceDocument('sip:a@b', [
    { resource: 'a', available: false },
    { resource: 'b', available: true },
    { resource: 'c', available: true, priority: 3 },
  ]);
  assert.deepEqual(
    readPresenceDocument(document)?.map(({ resource }) => resource),
    ['c', 'b', 'a'],
  );
});

test('a document of a SIP client is read: RPID of the person, a general note, a tuple without the prefix', () => {
  const document = `<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'
    xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'>
    <tuple id='t1'><status><basic>open</basic></status><contact priority='0.8'>sip:a@h</contact></tuple>
    <note>On the phone</note><dm:person id='p'><r:activities><r:on-the-phone/></r:activities></dm:person></presence>`;
  assert.deepEqual(readPresenceDocument(Buffer.from(document)), [
    {
      resource: 't1',
      available: true,
      show: 'dnd',
      status: { text: 'On the phone', language: undefined },
      priority: 102,
    },
  ]);
  assert.equal(readPresenceDocument(Buffer.from('<other/>')), undefined);
  assert.deepEqual(
    readPresenceDocument(Buffer.from(document.replace('open', 'closed')))?.[0]?.show,
    undefined,
  );
});

test('a notification is written as XMPP has it (RFC 6121 §4.7)', () => {
  const away = writePresence('romeo@example.net/x', 'juliet@example.com', {
    available: true,
    show: 'xa',
    status: { text: 'gone' },
    priority: 1,
  });
  assert.equal(
    writeXml(away, NS.server),
    '<presence from="romeo@example.net/x" to="juliet@example.com"><show>xa</show><status>gone</status>' +
      '<priority>1</priority></presence>',
  );
  const offline = writePresence('a@b', 'c@d', { available: false, show: 'away', priority: 1 });
  assert.equal(writeXml(offline, NS.server), '<presence from="a@b" to="c@d" type="unavailable"/>');
  assert.equal(readPresence(element(NS.server, 'presence'), undefined)?.available, true);
});
