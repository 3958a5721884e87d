import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MessageEdit } from '../messages/edit.ts';
import { FieldLine } from '../messages/field-line.ts';
import { sipLimits } from '../messages/limits.ts';
import type { SipRequest } from '../messages/message.ts';
import { parseSipMessage } from '../messages/parse.ts';
import { SourceStamp } from '../messages/via-source.ts';
import { type PassedOn, passOn } from './pass-on.ts';

const written: PassedOn = {
  via: new FieldLine('Via', 'SIP/2.0/TLS edge.example.com:5061;branch='),
  branch: 'z9hG4bK7',
  stamp: new SourceStamp({ address: '192.0.2.4', port: 50_000 }),
  maxForwards: new FieldLine('Max-Forwards', '69'),
  maxBreadth: new FieldLine('Max-Breadth', '60'),
  mark: new FieldLine('X-Mark', '<sip:', '>;source=remote-user'),
  markText: 'alice@example.com',
};

function requestOf(lines: readonly string[], body = 'hello'): SipRequest {
  const parsed = parseSipMessage(
    Buffer.from(['MESSAGE sip:b@example.com SIP/2.0', ...lines, '', body].join('\r\n')),
    sipLimits,
  );
  assert.ok(parsed.ok && parsed.value.kind === 'request', lines.join('\n'));
  return parsed.value;
}
function edited(request: SipRequest, { mark }: Pick<PassedOn, 'mark'> = written): string {
  const edit = new MessageEdit(request).replaceLine(written.maxForwards).replaceLine(written.maxBreadth);
  if (mark !== undefined) edit.appendLine(mark, written.markText);
  written.stamp.write(edit, request);
  return edit.prependLine(written.via, written.branch).toBytes().toString();
}

const NEEDED = [
  'From: <sip:alice@example.com>;tag=a',
  'To: <sip:b@example.com>',
  'Call-ID: 1',
  'CSeq: 1 MESSAGE',
];
const VIAS = [
  'Via: SIP/2.0/TLS 192.0.2.4:5061;branch=z9hG4bK1;rport',
  'v: SIP/2.0/TLS host;rport;branch=z9hG4bK1, SIP/2.0/TCP other',
  'Via: SIP/2.0/TLS 192.0.2.4',
  'Via: SIP/2.0/TLS host;received=1.2.3.4;branch=z9hG4bK1',
  'Via: SIP / 2.0 / TLS host ; rport',
  'Via: SIP/2.0/TLS host;branch=z9hG4bK1;rport\r\n ,SIP/2.0/TLS other;rport',
];
const OTHERS = [
  'Max-Forwards: 70',
  'max-forwards:7',
  'Max-Breadth: 60',
  'Via: SIP/2.0/TLS below;rport',
  'X-Mark: <sip:eve@example.com>;source=remote-user',
  'Content-Length: 5',
  'l: 5',
  'Subject: größer',
  'X: folded\r\n  line',
];

describe('a request that is passed on as it is', () => {
  test('becomes what an edit makes of it, whatever stands in it and where', () => {
    let passed = 0;
    const lines = fc
      .tuple(fc.constantFrom(...VIAS), fc.subarray(OTHERS))
      .chain(([via, others]) =>
        fc.shuffledSubarray([via, ...NEEDED, ...others], { minLength: 5 + others.length }),
      )
      .filter((all) => all.filter((line) => /^max-forwards/i.test(line)).length < 2)
      .filter((all) => all.filter((line) => /^(content-length|l):/i.test(line)).length < 2);
    fc.assert(
      fc.property(lines, fc.boolean(), (all, marked) => {
        const request = requestOf(all);
        // Where there is such a line already an edit puts the mark behind it: a client's is never passed on.
        const mark = marked && !request.has('X-Mark') ? written.mark : undefined;
        const bytes = passOn(request, { ...written, mark });
        if (bytes === undefined) return;
        passed += 1;
        assert.equal(bytes.toString(), edited(request, { mark }));
      }),
      { numRuns: 3000 },
    );
    assert.ok(passed > 100, String(passed));
  });
  test('the usual one is not left to the edit, the others are', () => {
    const usual = [VIAS[0]!, 'Max-Forwards: 70', ...NEEDED, 'Content-Length: 5'];
    assert.equal(passOn(requestOf(usual), written)?.toString(), edited(requestOf(usual)));
    for (const other of [
      usual.filter((line) => !line.startsWith('Max-Forwards')),
      usual.filter((line) => !line.startsWith('Content-Length')),
      [...usual, 'Max-Breadth: 3'],
      [VIAS[3]!, ...usual.slice(1)],
      [VIAS[4]!, ...usual.slice(1)],
    ]) {
      assert.equal(passOn(requestOf(other), written), undefined, other.join('\n'));
    }
  });
  test('no text ends a line', () => {
    const usual = [VIAS[0]!, 'Max-Forwards: 70', ...NEEDED, 'Content-Length: 5'];
    for (const change of [{ branch: 'a\r\nTo: x' }, { markText: 'a\nb' }]) {
      assert.throws(() => passOn(requestOf(usual), { ...written, ...change }), TypeError);
    }
  });
});
