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
type Changes = Pick<PassedOn, 'mark' | 'requestUri' | 'route' | 'recordRoute'>;

function edited(request: SipRequest, { mark, requestUri, route, recordRoute }: Changes = written): string {
  const edit = new MessageEdit(request).replaceLine(written.maxForwards).replaceLine(written.maxBreadth);
  if (requestUri !== undefined) edit.requestUri(requestUri);
  if (route === undefined) edit.remove('Route');
  else edit.replace('Route', route);
  if (recordRoute !== undefined) edit.append('Record-Route', recordRoute);
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
const HOPS = ['Max-Forwards: 70', 'max-forwards:7'];
const LENGTHS = ['Content-Length: 5', 'l: 5'];
const OTHERS = [
  'Max-Breadth: 60',
  'Via: SIP/2.0/TLS below;rport',
  'X-Mark: <sip:eve@example.com>;source=remote-user',
  'Subject: größer',
  'X: folded\r\n  line',
  'Route: <sip:one@192.0.2.1;lr>, <sip:two@192.0.2.1;lr>',
  'route: <sip:three@192.0.2.1;lr>',
];

const changes = fc.record({
  requestUri: fc.option(fc.constant('sip:inside@10.0.0.1;transport=tls'), { nil: undefined }),
  route: fc.option(fc.constant('<sip:a@10.0.0.1;lr>, <sip:b@10.0.0.2;lr>'), { nil: undefined }),
  recordRoute: fc.option(fc.constant('<sip:t@10.0.0.9;lr>, <sip:t@edge.example.com;lr>'), { nil: undefined }),
});

describe('a request that is passed on as it is', () => {
  test('becomes what an edit makes of it, whatever stands in it and where', () => {
    let passed = 0;
    // Most have what `passOn` asks for, so that it is what is looked at, and not its refusals alone.
    const most = { freq: 8, nil: undefined };
    const lines = fc
      .tuple(
        fc.constantFrom(...VIAS),
        fc.option(fc.constantFrom(...HOPS), most),
        fc.option(fc.constantFrom(...LENGTHS), most),
        fc.subarray(OTHERS),
      )
      .map(([via, hops, length, others]) => {
        return [via, ...NEEDED, hops, length, ...others].filter((line) => line !== undefined);
      })
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
    fc.assert(
      fc.property(lines, fc.boolean(), changes, (all, marked, change) => {
        const request = requestOf(all);
        // Where there is such a line already an edit puts the mark behind it: a client's is never passed on.
        const mark = marked && !request.has('X-Mark') ? written.mark : undefined;
        const bytes = passOn(request, { ...written, mark, ...change });
        if (bytes === undefined) return;
        passed += 1;
        assert.equal(bytes.toString(), edited(request, { mark, ...change }));
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
    // Nor is one whose routes would have to be put where nobody has any, or behind others, or whose target is none.
    assert.equal(passOn(requestOf(usual), { ...written, route: '<sip:a@10.0.0.1;lr>' }), undefined);
    const recorded = requestOf([...usual, 'Record-Route: <sip:b@example.com;lr>']);
    assert.equal(passOn(recorded, { ...written, recordRoute: '<sip:a@10.0.0.1;lr>' }), undefined);
    assert.equal(passOn(requestOf(usual), { ...written, requestUri: 'sip:a b' }), undefined);
  });
  test('within a dialog routes go and come, and the target is another one', () => {
    const dialog = [
      VIAS[0]!,
      'Route: <sip:t@edge.example.com;lr;behind=x>',
      ...NEEDED,
      'Max-Forwards: 70',
      'Content-Length: 5',
    ];
    const change = {
      ...written,
      requestUri: 'sip:b@10.0.0.7',
      route: '<sip:a@10.0.0.1;lr>',
      recordRoute: '<sip:t@10.0.0.9;lr>',
    };
    const bytes = passOn(requestOf(dialog), change)?.toString() ?? '';
    assert.equal(bytes, edited(requestOf(dialog), change));
    assert.ok(bytes.startsWith('MESSAGE sip:b@10.0.0.7 SIP/2.0\r\nVia: SIP/2.0/TLS edge.example.com'));
    assert.ok(bytes.includes('\r\nRoute: <sip:a@10.0.0.1;lr>\r\n') && !bytes.includes('behind'));
  });
  test('no text ends a line', () => {
    const usual = [VIAS[0]!, 'Max-Forwards: 70', ...NEEDED, 'Content-Length: 5'];
    for (const change of [
      { branch: 'a\r\nTo: x' },
      { markText: 'a\nb' },
      { recordRoute: '<sip:a>\r\nTo: x' },
    ]) {
      assert.throws(() => passOn(requestOf(usual), { ...written, ...change }), TypeError);
    }
  });
});
