import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import {
  applyChanges,
  changesOf,
  conferenceInfoLimits,
  formatJoinAnswer,
  formatMeetingLink,
  parseJoinAnswer,
  parseMeetingLink,
  readConferenceInfo,
  writeConferenceInfo,
} from './index.ts';

const roomy = { ...conferenceInfoLimits, bytes: 1 << 24, elements: 1_000_000, declarations: 10_000 };
const documents = [
  `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:a@b" state="full" version="1">
  <conference-description><subject>s</subject></conference-description><conference-state><user-count>1</user-count>
  <active>true</active><locked>0</locked></conference-state><users state="partial"><user entity="sip:c@d" state="deleted"/>
  <user entity="sip:e@f"><display-text>E</display-text><roles><entry>presenter</entry></roles><endpoint entity="sip:e@g"
  state="partial"><status>connected</status></endpoint></user></users></conference-info>`,
].map((text) => Buffer.from(text));
const answers = [
  `{"version":1,"conference":"sip:abcdefghij234567@conf.example.com","title":"t","participant":1,"role":"attendee",
  "token":"abc","tokenSeconds":60,"places":[{"webSocket":"wss://conf.example.com/psom","host":"conf.example.com","port":443}]}`,
].map((text) => Buffer.from(text));
const links = [
  'https://conf.example.com/#conference=sip%3Aabcdefghij234567%40conf.example.com&key=AAAAbbbbCCCC_-99',
].map((text) => Buffer.from(text));

export const targets: readonly FuzzTarget[] = [
  {
    name: 'conference-info',
    seeds: documents,
    run(input) {
      const read = readConferenceInfo(input);
      if (!read.ok) return;
      const back = readConferenceInfo(writeConferenceInfo(read.value), roomy);
      assert.ok(back.ok);
      const { users } = read.value;
      if (users !== undefined) assert.deepEqual(back.value.users, users);
      const known = { ...read.value, version: 1 };
      const changes = changesOf({ entity: 'sip:a@b', state: 'full', version: 1 }, known);
      if (changes !== undefined) assert.notEqual(applyChanges(known, changes), 'ignore');
    },
  },
  {
    name: 'conference-join-answer',
    seeds: answers,
    run(input) {
      const parsed = parseJoinAnswer(input.toString());
      if (parsed.ok) assert.deepEqual(parseJoinAnswer(formatJoinAnswer(parsed.value)), parsed);
    },
  },
  {
    name: 'conference-meeting-link',
    seeds: links,
    run(input) {
      const link = parseMeetingLink(input.toString());
      if (link !== undefined) assert.deepEqual(parseMeetingLink(formatMeetingLink(link)), link);
    },
  },
];
