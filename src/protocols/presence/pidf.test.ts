import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PIDF_TYPE, presenceLimits, readPidf, writePidf } from './index.ts';

import { type PresenceDocument, shows } from './presence-document.ts';

function read(text: string): PresenceDocument {
  const result = readPidf(Buffer.from(text));
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}
function problem(text: string): string {
  const result = readPidf(Buffer.from(text));
  return result.ok ? 'none' : result.error;
}
const PIDF = `xmlns="urn:ietf:params:xml:ns:pidf"`;
const presence = (inside: string) => `<presence ${PIDF} entity="sip:a@example.com">${inside}</presence>`;
const tuple = (status: string, rest = '') =>
  presence(`<tuple id="t"><status>${status}</status>${rest}</tuple>`);

test('RFC 3863 §4.3.1: default namespace, two ways to be reached, notes in languages', () => {
  const document = read(`<?xml version="1.0" encoding="UTF-8"?>
    <impp:presence xmlns:impp="urn:ietf:params:xml:ns:pidf" xmlns:x="urn:example:x" entity="pres:anna@example.com">
      <impp:tuple id="bs35r9">
        <impp:status><impp:basic>open</impp:basic><x:mood>calm</x:mood></impp:status>
        <impp:contact priority="0.8">im:anna@mobile.example.net</impp:contact>
        <impp:note xml:lang="en">At lunch</impp:note><impp:note xml:lang="de">Beim Essen</impp:note>
        <impp:timestamp>2026-11-26T12:30:00Z</impp:timestamp>
      </impp:tuple>
      <impp:tuple id="eg92n8">
        <impp:status><impp:basic>closed</impp:basic></impp:status>
        <impp:contact priority="1.0">mailto:anna@example.com</impp:contact>
      </impp:tuple>
      <impp:note>Back on Monday</impp:note>
    </impp:presence>`);
  assert.deepEqual(document, {
    entity: 'pres:anna@example.com',
    tuples: [
      {
        id: 'bs35r9',
        basic: 'open',
        contact: { uri: 'im:anna@mobile.example.net', priority: 0.8 },
        notes: [
          { text: 'At lunch', language: 'en' },
          { text: 'Beim Essen', language: 'de' },
        ],
        timestamp: '2026-11-26T12:30:00Z',
      },
      { id: 'eg92n8', basic: 'closed', contact: { uri: 'mailto:anna@example.com', priority: 1 }, notes: [] },
    ],
    notes: [{ text: 'Back on Monday' }],
    activities: [],
  });
});

test('RFC 8048 §6.2: show stands in the status, in the namespace of XMPP clients', () => {
  for (const show of shows) {
    assert.equal(
      read(tuple(`<basic>open</basic><show xmlns="jabber:client">${show}</show>`)).tuples[0]?.show,
      show,
    );
  }
  assert.equal(read(tuple('<basic>open</basic><show>away</show>')).tuples[0]?.show, undefined);
  assert.equal(
    read(tuple('<basic>open</basic><show xmlns="jabber:client">asleep</show>')).tuples[0]?.show,
    undefined,
  );
});

test('RFC 4480 §3.2: activities of the person, and those that clients write into a tuple', () => {
  const person = `<dm:person xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"
    id="p1"><r:activities><r:note>x</r:note><r:meeting/><r:on-the-phone/></r:activities><dm:note>Sorry</dm:note></dm:person>`;
  const document = read(presence(person));
  assert.deepEqual(document.activities, ['meeting', 'on-the-phone']);
  assert.deepEqual(document.notes, [{ text: 'Sorry' }]);
  const old =
    '<basic>open</basic><es:activities xmlns:es="urn:es"><es:activity>busy</es:activity></es:activities>';
  assert.deepEqual(read(tuple(old)).tuples[0]?.activities, ['busy']);
});

test('a status without basic value says nothing against it, and is open', () => {
  assert.equal(read(tuple('')).tuples[0]?.basic, 'open');
});

test('what breaks the schema is refused, by name', () => {
  assert.equal(problem('<presence entity="sip:a@b"/>'), 'not-pidf');
  assert.equal(problem(`<presence ${PIDF}/>`), 'entity');
  assert.equal(problem(`<presence ${PIDF} entity="nobody"/>`), 'entity');
  assert.equal(problem(presence('<tuple id="1"><status/></tuple>')), 'tuple');
  assert.equal(problem(presence('<tuple id="a"/>')), 'tuple');
  assert.equal(problem(tuple('<basic>maybe</basic>')), 'tuple');
  assert.equal(problem(presence('<tuple id="a"><status/></tuple>'.repeat(2))), 'tuple');
  const many = Array.from(
    { length: presenceLimits.tuples + 1 },
    (_, i) => `<tuple id="t${i}"><status/></tuple>`,
  );
  assert.equal(problem(presence(many.join(''))), 'too-many-tuples');
  assert.equal(problem(presence(`<note>${'x'.repeat(presenceLimits.bytes)}</note>`)), 'too-many-bytes');
  assert.equal(problem(`<!DOCTYPE presence>${presence('')}`), 'doctype');
});

test('what has no meaning here is left out: a priority above one, a language that is none, a date that is none', () => {
  const rest =
    '<contact priority="1.5">sip:a@b</contact><note xml:lang="&lt;">n</note><timestamp>yesterday</timestamp>';
  const [first] = read(tuple('', rest)).tuples;
  assert.deepEqual(first, { id: 't', basic: 'open', contact: { uri: 'sip:a@b' }, notes: [{ text: 'n' }] });
  assert.equal(read(tuple('', '<contact>not a uri</contact>')).tuples[0]?.contact, undefined);
});

test('the document is written in the order of the schema (RFC 3863 §4.4)', () => {
  const bytes = writePidf({
    entity: 'sip:a@b',
    tuples: [
      {
        ...{ id: 't', basic: 'open', show: 'dnd', activities: ['meeting'] },
        contact: { uri: 'sip:a@b', priority: 0.0074 },
        notes: [{ text: 'n', language: 'en' }],
        timestamp: '2026-11-26T12:30:00Z',
      },
    ],
    notes: [{ text: 'all' }],
    activities: ['away'],
  });
  const names = [...bytes.toString().matchAll(/<([a-z]+)/g)].map(([, name]) => name);
  assert.deepEqual(names, [
    ...[
      'presence',
      'tuple',
      'status',
      'basic',
      'show',
      'activities',
      'meeting',
      'contact',
      'note',
      'timestamp',
    ],
    ...['note', 'person', 'activities', 'away'],
  ]);
  assert.match(bytes.toString(), /priority="0\.007"/);
});

test('whatever is written is read as the same document', () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .map((value) => value.replace(/[\ufffe\uffff\0-\x1f]/g, ''));
  const note = fc.record(
    { text, language: fc.constantFrom('en', 'de-CH') },
    { requiredKeys: ['text'], noNullPrototype: true },
  );
  const rest = fc.record(
    {
      basic: fc.constantFrom('open' as const, 'closed' as const),
      show: fc.constantFrom(...shows),
      activities: fc.constantFrom(['away'], ['meeting', 'on-the-phone']),
      contact: fc.constantFrom({ uri: 'sip:a@b' }, { uri: 'im:é', priority: 0.125 }),
      notes: fc.array(note, { maxLength: 3 }),
      timestamp: fc.constant('2026-11-26T12:30:00Z'),
    },
    { requiredKeys: ['basic', 'notes'], noNullPrototype: true },
  );
  const document = fc.record(
    {
      entity: fc.constantFrom('sip:a@b', 'pres:ü@example.com'),
      tuples: fc.array(rest, { maxLength: 4 }).map((all) => all.map((one, at) => ({ id: `t${at}`, ...one }))),
      notes: fc.array(note, { maxLength: 3 }),
      activities: fc.constantFrom([], ['vacation']),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(document, (original) =>
      assert.deepEqual(readPidf(writePidf(original)), { ok: true, value: original }),
    ),
  );
});

test('the media type is the registered one', () => {
  assert.equal(PIDF_TYPE, 'application/pidf+xml');
});
