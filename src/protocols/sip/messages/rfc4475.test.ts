import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateForProxy } from '../routing/validate.ts';
import { readVectors } from '../testing/vectors.ts';
import { sipLimits } from './limits.ts';
import { parseSipMessage } from './parse.ts';

const rules = { supported: new Set<string>(), isOurVia: () => false };

function outcome(bytes: Buffer): string {
  const parsed = parseSipMessage(bytes, sipLimits);
  if (!parsed.ok) {
    const { reason, status, response } = parsed.error;
    if (status === undefined) return `refused ${reason}`;
    const line = response?.toString('latin1').split('\r\n')[0];
    assert.match(line ?? '', new RegExp(`^SIP/2.0 ${status} `));
    return `refused ${reason} ${status}`;
  }
  const message = parsed.value;
  if (message.kind === 'response') return `response ${message.status}`;
  const verdict = validateForProxy(message, rules);
  return `request ${message.method}${verdict.ok ? '' : ` proxy ${verdict.error.status}`}`;
}

for (const [document, file] of [
  ['RFC 4475', 'rfc4475.txt'],
  ['RFC 5118', 'rfc5118.txt'],
] as const) {
  for (const { name, expectation, bytes } of readVectors(file)) {
    test(`${document} ${name}: ${expectation}`, () => assert.equal(outcome(bytes), expectation));
  }
}

function message(name: string) {
  const vector = readVectors('rfc4475.txt').find((candidate) => candidate.name === name);
  const parsed = parseSipMessage(vector!.bytes, sipLimits);
  assert.ok(parsed.ok);
  return parsed.value;
}

test('RFC 4475 wsinv: folding, compact forms and lists are understood', () => {
  const wsinv = message('wsinv');
  assert.equal(wsinv.from.display, 'J Rosenberg \\"');
  assert.equal(wsinv.from.tag, '98asjd8');
  assert.equal(wsinv.to.tag, '1918181833n');
  assert.deepEqual(wsinv.cseq, { number: 9, method: 'INVITE' });
  assert.deepEqual(
    wsinv.vias().map(({ transport, host, branch }) => [transport, host, branch]),
    [
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ],
  );
  assert.equal(wsinv.kind === 'request' && wsinv.maxForwards, 68);
  assert.equal(wsinv.header('NewFangledHeader'), 'newfangled value continued newfangled value');
  assert.equal(wsinv.header('Subject'), '');
  assert.equal(wsinv.body.length, 150);
});

test('RFC 4475 intmeth: control characters are allowed as quoted pairs', () => {
  const intmeth = message('intmeth');
  assert.equal(intmeth.to.display, 'BEL:\u0007 NUL:\u0000 DEL:\u007f');
  assert.equal(intmeth.from.parameters.get("fromparam''~+*_!.-%"), 'работающий');
  assert.equal(intmeth.header("extensionHeader-!.%*+_`'~"), '\ufeff大停電');
});

test('RFC 4475 esc02: an escape in a header name does not make it another header', () => {
  const esc02 = message('esc02');
  assert.equal(esc02.values('Contact').length, 2);
  assert.equal(esc02.header('C%6Fntact'), '<sip:alias2@host2.example.com>');
});

test('RFC 4475 longreq: every spelling of Via counts', () =>
  assert.equal(message('longreq').vias().length, 34));

test('RFC 4475 unreason: the reason phrase is UTF-8', () => {
  const unreason = message('unreason');
  assert.equal(
    unreason.kind === 'response' && unreason.reason,
    '= 2**3 * 5**2 но сто девяносто девять - простое',
  );
});

test('RFC 4475 dblreq: octets behind the message are not part of it', () => {
  assert.match(message('dblreq').bytes.toString('latin1'), /Content-Length: 0\r\n\r\n$/);
});
