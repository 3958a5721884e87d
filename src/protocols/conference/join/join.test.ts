import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatConferenceUri,
  formatJoinAnswer,
  formatMeetingLink,
  JOIN_ANSWER_TYPE,
  type JoinAnswer,
  joinAnswerLimits,
  parseConferenceUri,
  parseJoinAnswer,
  parseMeetingLink,
} from './index.ts';

const conference = { id: 'abcdefghij234567', domain: 'conf.example.com' };
const answer: JoinAnswer = {
  conference,
  title: 'Budget “2027” </script>',
  participant: 12,
  role: 'presenter',
  token: 'eyJ.abc-_~123',
  tokenSeconds: 60,
  places: [{ webSocket: 'wss://conf.example.com/psom', host: 'conf.example.com', port: 443 }],
};
const changed = (change: object) => JSON.stringify({ ...JSON.parse(formatJoinAnswer(answer)), ...change });
const problemOf = (text: string) => {
  const parsed = parseJoinAnswer(text);
  return parsed.ok ? 'none' : parsed.error;
};

test('a join answer is what docs/protocols/conference-signalling.md shows', () => {
  assert.equal(JOIN_ANSWER_TYPE, 'application/vnd.sallyport.conference+json');
  assert.deepEqual(JSON.parse(formatJoinAnswer(answer)), {
    version: 1,
    conference: 'sip:abcdefghij234567@conf.example.com',
    title: answer.title,
    participant: 12,
    role: 'presenter',
    token: answer.token,
    tokenSeconds: 60,
    places: answer.places,
  });
  assert.deepEqual(parseJoinAnswer(formatJoinAnswer(answer)), { ok: true, value: answer });
  assert.equal(problemOf(changed({ later: { servers: ['may', 'tell', 'more'] } })), 'none');
  assert.equal(problemOf(changed({ places: [] })), 'none');
});

test('each member of a join answer is checked', () => {
  const place = (change: object) => changed({ places: [{ ...answer.places[0], ...change }] });
  const mistakes: [string, string][] = [
    ['not json', 'not-json'],
    ['[]', 'not-json'],
    ['null', 'not-json'],
    [' '.repeat(joinAnswerLimits.bytes + 1), 'too-large'],
    [changed({ version: 2 }), 'version'],
    [changed({ conference: 'sip:alice@example.com' }), 'conference'],
    [changed({ conference: 12 }), 'conference'],
    [changed({ title: 'x'.repeat(joinAnswerLimits.title + 1) }), 'title'],
    [changed({ participant: 0 }), 'participant'],
    [changed({ participant: 1.5 }), 'participant'],
    [changed({ participant: '12' }), 'participant'],
    [changed({ role: 'owner' }), 'role'],
    [changed({ token: '' }), 'token'],
    [changed({ token: 'a\r\nb' }), 'token'],
    [changed({ token: 'a'.repeat(joinAnswerLimits.token + 1) }), 'token'],
    [changed({ tokenSeconds: -1 }), 'token'],
    [changed({ places: {} }), 'places'],
    [changed({ places: [null] }), 'places'],
    [changed({ places: Array(joinAnswerLimits.places + 1).fill(answer.places[0]) }), 'places'],
    [place({ webSocket: 'ws://conf.example.com/' }), 'places'],
    [place({ webSocket: 'javascript:alert(1)' }), 'places'],
    [place({ webSocket: 'wss://user:word@conf.example.com/' }), 'places'],
    [place({ host: 'a b' }), 'places'],
    [place({ port: 65_536 }), 'places'],
  ];
  for (const [text, problem] of mistakes) assert.equal(problemOf(text), problem, text.slice(0, 200));
});

test('a meeting link keeps conference and key behind #, where no server sees them', () => {
  const link = { page: 'https://conf.example.com/', conference, key: 'AAAA-BBBB_cccc99' };
  const text = formatMeetingLink(link);
  assert.equal(
    text,
    'https://conf.example.com/#conference=sip%3Aabcdefghij234567%40conf.example.com&key=AAAA-BBBB_cccc99',
  );
  assert.deepEqual(parseMeetingLink(text), link);
  assert.deepEqual(parseMeetingLink(`${text}&more=1`), link);
  for (const wrong of [
    'no link',
    'https://conf.example.com/',
    text.replace('https', 'http'),
    text.replace('https', 'javascript'),
    text.replace('https://', 'https://user:word@'),
    text.replace('#', '?'),
    text.slice(0, -1),
    `${text}x`,
    text.replace('abcd', 'ABC1'),
    `${text}&${'x'.repeat(1024)}`,
  ]) {
    assert.equal(parseMeetingLink(wrong), undefined, wrong);
  }
});

test('a conference URI is 80 bits at a domain, and nothing beside them', () => {
  assert.deepEqual(parseConferenceUri('sip:ABCDEFGHIJ234567@Conf.Example.COM'), conference);
  assert.equal(formatConferenceUri(conference), 'sip:abcdefghij234567@conf.example.com');
  for (const wrong of [
    'sip:abcdefghij234567@conf.example.com:5061',
    'sip:abcdefghij234567@conf.example.com;transport=tls',
    'sip:abcdefghij234567:word@conf.example.com',
    'sips:abcdefghij234567@conf.example.com',
    'sip:abcdefghij23456@conf.example.com',
    'sip:abcdefghij234561@conf.example.com',
    'sip:abcdefghij234567@',
    'sip:abcdefghij234567@conf..example.com\r\n',
  ]) {
    assert.equal(parseConferenceUri(wrong), undefined, wrong);
  }
});
