import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import { parseCSeq } from './cseq.ts';
import { Head, scanHead } from './head.ts';
import { splitValues } from './header-value.ts';
import { sipLimits } from './limits.ts';
import { type NameAddress, parseNameAddress } from './name-address.ts';
import { parseStartLine } from './start-line.ts';
import { usualAddress, usualCallId, usualCSeq, usualStartLine, usualVias } from './usual.ts';
import { parseVia, type Via } from './via.ts';

/** A head of one field with this value, as far as one can be scanned. */
function headOf(name: string, value: string, startLine = 'OPTIONS sip:b@c SIP/2.0'): Head | undefined {
  const bytes = Buffer.from(`${startLine}\r\n${name}: ${value}\r\n\r\n`, 'latin1');
  const head = new Head(bytes, bytes.length, scanHead(bytes, 0, bytes.length, sipLimits));
  return head.problem === undefined && head.count === 1 ? head : undefined;
}
const plain = ({ parameters, ...rest }: Via | NameAddress) => ({ ...rest, parameters: [...parameters] });

const PIECES = [
  ...[
    'SIP/2.0/',
    'TLS',
    'tcp',
    ' ',
    '  ',
    '\t',
    'a.example',
    'Host',
    '[2001:db8::1]',
    '[',
    ']',
    ':',
    ':5061',
    ':0',
    '65536',
  ],
  ...[
    ';',
    ';branch=z9hG4bK1',
    ';branch',
    ';branch=',
    ';rport',
    ';rport=99999',
    ';RPort=5',
    ';received=1.2.3.4',
    ';tag=x',
    ';TAG=y',
  ],
  ...[
    ';a="b"',
    ';a=b;A=c',
    '=',
    ',',
    ', ',
    '<',
    '>',
    '<sip:a@b;x=1>',
    '<tel:1>',
    '<1:2>',
    '"',
    '"A B" ',
    '"\\""',
    'Bob ',
    'sip:a@b',
  ],
  ...[
    'é',
    '\\',
    '%41',
    '?',
    '1',
    ' 1 ',
    '2147483648',
    'INVITE',
    'Message',
    ' SIP/2.0',
    '200',
    ' OK',
    '/',
    '\r\n ',
  ],
];
const START: Record<string, readonly string[]> = {
  Via: [
    'SIP/2.0/TLS h.example:5061;branch=z9hG4bK1;rport',
    'SIP/2.0/WSS [2001:db8::1];received=9.9.9.9;branch=z9hG4bK2, SIP/2.0/UDP a;x;y=z',
    'SIP/2.0/TLS h;a=1;b=2;c=3;d=4;e=5;f=6;g=7;branch=z9hG4bKx;i=9',
  ],
  From: [
    '"A. Person" <sips:a@b.example:5061;lr>;tag=abc;x=y',
    '<sip:a@b>',
    'Bob <sip:a@b>;tag=1',
    'sip:a@b;tag=1',
  ],
  CSeq: ['1 INVITE', '4294967296 OPTIONS', '007   foo'],
  'Call-ID': ['a@b', 'x'],
};

/** A value that is written as most are, with pieces put in, left out or repeated. */
function mutated(value: string, random: SeededRandom): string {
  let text = value;
  for (let changes = random.integer(4); changes > 0; changes--) {
    const at = random.integer(text.length + 1);
    const piece = random.integer(3) === 0 ? '' : (PIECES[random.integer(PIECES.length)] ?? '');
    text = text.slice(0, at) + piece + text.slice(at + random.integer(3));
  }
  return text;
}

test('what is read as usual is what the parsers of text make of it', () => {
  const random = new SeededRandom(4);
  const taken: Record<string, number> = {};
  for (const [name, values] of Object.entries(START)) {
    taken[name] = 0;
    for (let round = 0; round < 6_000; round++) {
      const head = headOf(name, mutated(values[round % values.length] ?? '', random));
      if (head !== undefined && agrees(name, head)) taken[name] += 1;
    }
  }
  // Not all of them are left to the others.
  for (const [name, count] of Object.entries(taken)) assert.ok(count > 1_500, `${name}: ${count}`);
});

/** False when the value is not a usual one. */
function agrees(name: string, head: Head): boolean {
  const text = head.valueAt(0);
  if (name === 'Via') {
    const vias: Via[] = [];
    const usual = usualVias(head, 0, vias);
    if (usual) {
      const parsed = splitValues(text).map((value) => parseVia(value));
      assert.deepEqual(
        vias.map(plain),
        parsed.map((via) => (via.ok ? plain(via.value) : via.error)),
        text,
      );
    }
    assert.equal(usual, vias.length > 0);
    return usual;
  }
  if (name === 'From') {
    const address = usualAddress(head, 0);
    const parsed = parseNameAddress(text);
    if (address !== undefined)
      assert.deepEqual(plain(address), parsed.ok ? plain(parsed.value) : parsed.error, text);
    return address !== undefined;
  }
  if (name === 'CSeq') {
    const cseq = usualCSeq(head, 0);
    const parsed = parseCSeq(text);
    if (cseq !== undefined) assert.deepEqual(cseq, parsed.ok ? parsed.value : parsed.error, text);
    return cseq !== undefined;
  }
  assert.equal(usualCallId(head, 0), /^[\x21-\x7e]+$/.test(text) ? text : undefined);
  return true;
}

test('a start line that is read as usual is what the parser of text makes of it', () => {
  const random = new SeededRandom(5);
  const lines = [
    'INVITE sip:bob@example.com;user=phone SIP/2.0',
    'SIP/2.0 200 OK',
    'foo tel:+1 SIP/2.0',
    'SIP/2.0 404 ',
  ];
  let taken = 0;
  for (let round = 0; round < 12_000; round++) {
    const line = mutated(lines[round % lines.length] ?? '', random);
    const head = line.includes('\r') || line === '' ? undefined : headOf('Subject', 'x', line);
    const usual = head === undefined ? undefined : usualStartLine(head);
    if (head === undefined || usual === undefined) continue;
    taken += 1;
    assert.deepEqual(usual, parseStartLine(head.startLine), line);
  }
  assert.ok(taken > 3_000, String(taken));
});

test('a scheme is made of what may stand in a URI: a token may hold more', () => {
  const head = headOf('Subject', 'x', 'INVITE s`ip:bob@example.com SIP/2.0');
  assert.ok(head !== undefined);
  assert.equal(usualStartLine(head), undefined);
  assert.equal(parseStartLine(head.startLine).kind, 'bad');
});

test('parameters that nobody has read yet are those that were written', () => {
  const head = headOf('Via', 'SIP/2.0/TLS h;Branch=z9hG4bKq;lr;x=1');
  const vias: Via[] = [];
  assert.ok(head !== undefined && usualVias(head, 0, vias));
  const [via] = vias;
  assert.equal(via?.parameters.size, 3);
  assert.equal(via?.parameters.get('branch'), 'z9hG4bKq');
  assert.equal(via?.parameters.has('lr'), true);
  assert.equal(via?.parameters.has('rport'), false);
  assert.deepEqual(
    [...(via?.parameters ?? [])],
    [
      ['branch', 'z9hG4bKq'],
      ['lr', undefined],
      ['x', '1'],
    ],
  );
});
