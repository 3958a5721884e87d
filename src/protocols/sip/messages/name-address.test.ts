import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatNameAddress, parseNameAddress } from './name-address.ts';

describe('parsing (RFC 3261 §20.10)', () => {
  for (const [text, display, uri, parameters] of [
    ['<sip:a@b>', undefined, 'sip:a@b', {}],
    ['sip:a@b;tag=1', undefined, 'sip:a@b', { tag: '1' }],
    ['<sip:a@b;lr>;tag=1', undefined, 'sip:a@b;lr', { tag: '1' }],
    ['Bob T. Smith <sip:a@b>', 'Bob T. Smith', 'sip:a@b', {}],
    ['caller<sip:a@b>', 'caller', 'sip:a@b', {}],
    ['"A, \\"B\\" <c>" <sip:a@b> ; Q = 0.5 ;flag', 'A, "B" <c>', 'sip:a@b', { q: '0.5', flag: undefined }],
    ['"<sip:x@y>" <sip:a@b>', '<sip:x@y>', 'sip:a@b', {}],
    ['"Größe"<sips:a@[2001:db8::1]:5061>', 'Größe', 'sips:a@[2001:db8::1]:5061', {}],
    ['<sip:a@b>;+sip.instance="<urn:uuid:1>"', undefined, 'sip:a@b', { '+sip.instance': '<urn:uuid:1>' }],
    ['isbn:2983792873', undefined, 'isbn:2983792873', {}],
  ] as const) {
    test(text, () => {
      const parsed = parseNameAddress(text);
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
      const { value } = parsed;
      assert.deepEqual(
        [value.display, value.uri, Object.fromEntries(value.parameters)],
        [display, uri, parameters],
      );
    });
  }
  for (const [text, error] of [
    ['', 'address'],
    ['*', 'address'],
    ['<>', 'address'],
    ['<sip:a@b', 'address'],
    ['< sip:a@b >', 'address'],
    ['<sip:a@b\r\nTo: x>', 'address'],
    ['"A <sip:a@b>', 'quoted-string'],
    ['"A" sip:a@b', 'address'],
    ['Bell, Alexander <sip:a@b>', 'display-name'],
    ['sip:a@b?x=y', 'address'],
    ['sip:a@b,sip:c@d', 'address'],
    ['<sip:a@b> x', 'parameter'],
    ['<sip:a@b>;', 'parameter'],
    ['<sip:a@b>;;tag=1', 'parameter'],
    ['<sip:a@b>;tag=1;TAG=2', 'duplicate-parameter'],
    ['<sip:a@b>;tag', 'tag'],
    ['<sip:a@b>;tag="x y"', 'tag'],
    ['<sip:a@b>;x="', 'quoted-string'],
  ] as const) {
    test(`${JSON.stringify(text)}: ${error}`, () =>
      assert.deepEqual(parseNameAddress(text), { ok: false, error }));
  }
});

test('what is formatted parses to the same', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
  const token = fc.stringMatching(/^[a-z0-9.!%*_+`'~-]{1,8}$/);
  const parameters = fc.dictionary(token, fc.option(line, { nil: undefined }), { noNullPrototype: true });
  fc.assert(
    fc.property(line, token, parameters, (display, tag, others) => {
      const address = {
        display,
        uri: 'sip:a@b;lr',
        parameters: new Map([...Object.entries(others), ['tag', tag]]),
        tag,
      };
      const read = parseNameAddress(formatNameAddress(address));
      assert.ok(read.ok);
      assert.deepEqual({ ...read.value, parameters: new Map(read.value.parameters) }, address);
    }),
  );
});

test('a URI cannot break out of its brackets', () => {
  for (const uri of ['', 'x', 'sip:a>b', 'sip:a\r\nTo: x', 'sip:a b']) {
    assert.throws(() => formatNameAddress({ uri }), TypeError);
  }
  assert.equal(formatNameAddress({ uri: 'sip:a', display: 'x\r\nTo: y' }), '"x To: y" <sip:a>');
});
