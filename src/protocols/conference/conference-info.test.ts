import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  applyChanges,
  CONFERENCE_EVENT,
  CONFERENCE_INFO_TYPE,
  type ConferenceInfo,
  type ConferenceUser,
  changesOf,
  conferenceInfoLimits,
  readConferenceInfo,
  writeConferenceInfo,
} from './index.ts';

const URI = 'sip:abcdefghij234567@conf.example.com';
const user = (entity: string, change: Partial<ConferenceUser> = {}): ConferenceUser => ({
  entity,
  state: 'full',
  displayText: entity,
  roles: ['attendee'],
  endpoints: [{ entity: `${entity};gr`, state: 'full', status: 'connected' }],
  ...change,
});
const full = (list: readonly ConferenceUser[], change: Partial<ConferenceInfo> = {}): ConferenceInfo => ({
  entity: URI,
  state: 'full',
  version: 1,
  subject: 'Budget',
  userCount: list.length,
  active: true,
  locked: false,
  users: { state: 'full', list },
  ...change,
});
function read(text: string): ConferenceInfo {
  const result = readConferenceInfo(Buffer.from(text));
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}
const problemOf = (text: string) => {
  const result = readConferenceInfo(Buffer.from(text));
  return result.ok ? 'none' : result.error;
};
const NS = 'xmlns="urn:ietf:params:xml:ns:conference-info"';
const document = (inside: string, attributes = `entity="${URI}" state="full" version="1"`) =>
  `<conference-info ${NS} ${attributes}>${inside}</conference-info>`;

test('RFC 4575 §9: the names that IANA lists', () => {
  assert.equal(CONFERENCE_EVENT, 'conference');
  assert.equal(CONFERENCE_INFO_TYPE, 'application/conference-info+xml');
});

test('RFC 4575 §7.1: what another server tells is read, and what we do not use of it is passed over', () => {
  const told = read(`<?xml version="1.0" encoding="UTF-8"?>
    <ci:conference-info xmlns:ci="urn:ietf:params:xml:ns:conference-info" entity="sips:conf233@example.com" state="full" version="1">
      <ci:conference-description><ci:subject>Agenda: goals</ci:subject>
        <ci:service-uris><ci:entry><ci:uri>http://sharepoint/salesgroup/</ci:uri></ci:entry></ci:service-uris>
      </ci:conference-description>
      <ci:conference-state><ci:user-count>33</ci:user-count></ci:conference-state>
      <ci:users>
        <ci:user entity="sip:bob@example.com" state="full"><ci:display-text>Bob</ci:display-text>
          <ci:endpoint entity="sip:bob@pc33.example.com"><ci:display-text>Laptop</ci:display-text>
            <ci:status>disconnected</ci:status><ci:disconnection-method>departed</ci:disconnection-method></ci:endpoint></ci:user>
        <ci:user entity="sip:alice@example.com"><ci:roles><ci:entry>moderator</ci:entry></ci:roles>
          <ci:endpoint entity="sip:4kfk@example.com;grid=433"><ci:status>connected</ci:status>
            <ci:media id="1"><ci:type>audio</ci:type></ci:media></ci:endpoint></ci:user>
      </ci:users></ci:conference-info>`);
  assert.deepEqual(told, {
    entity: 'sips:conf233@example.com',
    state: 'full',
    version: 1,
    subject: 'Agenda: goals',
    userCount: 33,
    users: {
      state: 'full',
      list: [
        {
          entity: 'sip:bob@example.com',
          state: 'full',
          displayText: 'Bob',
          roles: [],
          endpoints: [{ entity: 'sip:bob@pc33.example.com', state: 'full', status: 'disconnected' }],
        },
        {
          entity: 'sip:alice@example.com',
          state: 'full',
          roles: ['moderator'],
          endpoints: [{ entity: 'sip:4kfk@example.com;grid=433', state: 'full', status: 'connected' }],
        },
      ],
    },
  });
});

test('what is written is read back; a full document has its description and users (RFC 4575 §5.2)', () => {
  const told = full([user('sip:a@example.com', { displayText: '<b>&"\u0000' })]);
  const text = writeConferenceInfo(told).toString();
  assert.ok(!text.includes('<b>'));
  const back = read(text);
  assert.equal(back.users?.list[0]?.displayText, '<b>&"\ufffd');
  const bare = writeConferenceInfo({ entity: URI, state: 'full', version: 7 }).toString();
  assert.match(bare, /<conference-description\/><users\/>/);
});

test('documents that are none are refused with what is wrong', () => {
  const many = '<user entity="sip:a@b"/>'.repeat(conferenceInfoLimits.users + 1);
  const ends = '<endpoint entity="sip:a@b"/>'.repeat(conferenceInfoLimits.endpoints + 1);
  const mistakes: [string, string][] = [
    ['<conference-info/>', 'not-conference-info'],
    [document('', 'entity="" version="1"'), 'not-conference-info'],
    [document('', `entity="${URI}"`), 'not-conference-info'],
    [document('', `entity="${URI}" version="4294967296"`), 'not-conference-info'],
    [document('', `entity="${URI}" version="1" state="half"`), 'state'],
    [document('<users state="half"/>'), 'state'],
    [document('<users><user/></users>'), 'user'],
    [document('<users><user entity="a" state="x"/></users>'), 'user'],
    [document(`<users><user entity="a">${ends}</user></users>`), 'user'],
    [document('<users><user entity="a"><endpoint/></user></users>'), 'user'],
    [document(`<users>${many}</users>`), 'too-many-users'],
    [`<!DOCTYPE x [<!ENTITY a "b">]>${document('')}`, 'doctype'],
  ];
  for (const [text, problem] of mistakes) assert.equal(problemOf(text), problem, text.slice(0, 120));
});

test('joining, leaving, a new role and a lock are told as partial documents of the next version (RFC 4575 §4.4)', () => {
  const [a, b] = [user('sip:a@example.com'), user('sip:b@example.com')];
  const before = full([a, b]);
  assert.equal(changesOf(before, full([a, b])), undefined);
  const promoted = user(a.entity, { roles: ['presenter'] });
  const partial = changesOf(before, full([promoted], { userCount: 1, locked: true }));
  assert.deepEqual(partial, {
    entity: URI,
    state: 'partial',
    version: 2,
    userCount: 1,
    active: true,
    locked: true,
    users: {
      state: 'partial',
      list: [promoted, { entity: b.entity, state: 'deleted', roles: [], endpoints: [] }],
    },
  });
  assert.deepEqual(changesOf(before, full([a, b], { subject: 'New' })), {
    entity: URI,
    state: 'partial',
    version: 2,
    subject: 'New',
  });
});

test('a subscriber asks for everything when a document was missed, and discards old ones (RFC 4575 §4.6)', () => {
  const known = full([user('sip:a@example.com')]);
  const partial = (version: number): ConferenceInfo => ({ entity: URI, state: 'partial', version });
  assert.equal(applyChanges(undefined, partial(1)), 'refresh');
  assert.equal(applyChanges(known, partial(3)), 'refresh');
  assert.equal(applyChanges(known, partial(1)), 'ignore');
  const gone: ConferenceInfo = { entity: URI, state: 'deleted', version: 2 };
  assert.equal(applyChanges(known, gone), gone);
  const muted = user('sip:a@example.com', {
    state: 'partial',
    roles: [],
    endpoints: [{ entity: 'sip:a@example.com;gr', state: 'partial', status: 'on-hold' }],
  });
  const merged = applyChanges(known, { ...partial(2), users: { state: 'partial', list: [muted] } });
  assert.ok(typeof merged === 'object');
  assert.deepEqual(merged.users?.list[0]?.roles, ['attendee']);
  assert.equal(merged.users?.list[0]?.endpoints[0]?.status, 'on-hold');
});

test('whoever follows the partial documents, as bytes, knows what the full one says', () => {
  const people = fc.uniqueArray(
    fc.record({ n: fc.nat(9), role: fc.constantFrom('presenter', 'attendee'), on: fc.boolean() }),
    { selector: ({ n }) => n, maxLength: 8 },
  );
  const stage = fc.record({ people, locked: fc.boolean(), subject: fc.constantFrom('One', 'Two') });
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 12 }), (stages) => {
      let sent: ConferenceInfo = full([], { version: 0 });
      let known: ConferenceInfo = read(writeConferenceInfo(sent).toString());
      for (const { people: list, locked, subject } of stages) {
        const users = list.map(({ n, role, on }) =>
          user(`sip:p${n}@example.com`, {
            roles: [role],
            endpoints: [{ entity: `sip:${n}`, state: 'full', status: on ? 'connected' : 'on-hold' }],
          }),
        );
        const after = full(users, { version: sent.version, locked, subject });
        const partial = changesOf(sent, after);
        if (partial === undefined) continue;
        sent = { ...after, version: partial.version };
        const merged = applyChanges(known, read(writeConferenceInfo(partial).toString()));
        assert.ok(typeof merged === 'object');
        known = merged;
        const sorted = (info: ConferenceInfo) => ({
          ...info,
          users: [...(info.users?.list ?? [])].sort((x, y) => (x.entity < y.entity ? -1 : 1)),
        });
        assert.deepEqual(sorted(known), sorted(sent));
      }
    }),
  );
});
