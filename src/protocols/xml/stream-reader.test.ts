import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { child, element, textOf, type XmlElement } from './element.ts';
import type { XmlLimits } from './limits.ts';
import { type XmlEvent, XmlStreamReader } from './stream-reader.ts';
import { writeXml } from './write.ts';

const strangerLimits: XmlLimits = {
  bytes: 10_000,
  depth: 8,
  attributes: 16,
  elements: 64,
  nameLength: 128,
  declarations: 32,
};

const ROOT = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>`;

function read(text: string | Uint8Array, limits: XmlLimits = strangerLimits, pieces = 1 << 20): XmlEvent[] {
  const reader = new XmlStreamReader(limits);
  const bytes = Buffer.from(text as string);
  const events: XmlEvent[] = [];
  for (let at = 0; at < bytes.length; at += pieces)
    events.push(...reader.read(bytes.subarray(at, at + pieces), at));
  return events;
}
function problem(text: string | Uint8Array, limits?: XmlLimits): string | undefined {
  const last = read(text, limits).at(-1);
  return last?.type === 'problem' ? last.problem : undefined;
}
const elements = (events: readonly XmlEvent[]) =>
  events.filter((event) => event.type === 'element').map((event) => event.element);

test('a stream is read as its root, its stanzas and its end, however it is cut', () => {
  const text = `${ROOT} <message to='a@b'><body>x &lt; ü 😀</body></message>\n<presence/></stream:stream>`;
  const whole = read(text);
  assert.deepEqual(
    whole.map(({ type }) => type),
    ['root', 'element', 'element', 'end'],
  );
  assert.equal(textOf(child(elements(whole)[0]!, 'body')!), 'x < ü 😀');
  for (const size of [1, 2, 3, 7, 64])
    assert.deepEqual(read(text, strangerLimits, size), whole, `pieces of ${size}`);
});

test('X2: restricted XML is refused, each kind by its name', () => {
  assert.equal(problem(`<!DOCTYPE a [<!ENTITY x "y">]>${ROOT}`), 'doctype');
  assert.equal(problem(`${ROOT}<!-- hidden -->`), 'comment');
  assert.equal(problem(`${ROOT}<?php x?>`), 'processing-instruction');
  assert.equal(problem(`${ROOT}<message>&xxe;</message>`), 'entity');
  assert.equal(problem(`<?xml version='1.1'?><a>`), 'xml-version');
  assert.equal(problem(`<?xml version='1.0' encoding='utf-16'?><a>`), 'not-utf-8');
});

test('X3: what two parsers could read in two ways is refused', () => {
  const bad = {
    'broken UTF-8': Buffer.concat([Buffer.from(`${ROOT}<message>`), Buffer.from([0xc3, 0x28])]),
    'overlong UTF-8': Buffer.concat([Buffer.from(`${ROOT}<message>`), Buffer.from([0xc0, 0xbc, 0x61])]),
    'a surrogate in UTF-8': Buffer.concat([Buffer.from(`${ROOT}<m>`), Buffer.from([0xed, 0xa0, 0x80])]),
    'a control character': `${ROOT}<message>\u0001</message>`,
    'a reference to one': `${ROOT}<message>&#1;</message>`,
    'an attribute twice': `${ROOT}<message to='a' to='b'/>`,
    'an attribute twice by two prefixes': `${ROOT}<m xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>`,
    'a prefix that nobody declared': `${ROOT}<x:message/>`,
    'a digit first behind a prefix': `${ROOT}<stream:65536res/>`,
    'a digit first in an attribute behind a prefix': `${ROOT}<m xmlns:a='u' a:1='x'/>`,
    'a prefix that begins with a digit': `${ROOT}<m xmlns:1a='u'/>`,
    'bad nesting': `${ROOT}<message><body></message></body>`,
    'a second root': `${ROOT}</stream:stream><more/>`,
    'a bracket in an attribute': `${ROOT}<message to='<'/>`,
    'the end of CDATA in text': `${ROOT}<message>]]></message>`,
    'text between stanzas': `${ROOT}hello<message/>`,
  };
  for (const [what, input] of Object.entries(bad)) assert.notEqual(problem(input), undefined, what);
});

test('X1: every count and every length has a limit, and a limit holds from the first byte', () => {
  const { bytes, depth, attributes, elements: most, nameLength, declarations } = strangerLimits;
  assert.equal(problem(`<${'a'.repeat(bytes)}`), 'too-many-bytes');
  assert.equal(problem(`${ROOT}<message to='${'a'.repeat(bytes)}`), 'too-many-bytes');
  assert.equal(problem(`${ROOT}<m>${'ü'.repeat(bytes / 2)}</m>`), 'too-many-bytes');
  assert.equal(problem(`${ROOT}${'<a>'.repeat(depth + 1)}`), 'too-deep');
  const many = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}='1'`).join('');
  assert.equal(problem(`${ROOT}<m${many(attributes + 1)}/>`), 'too-many-attributes');
  assert.equal(problem(`${ROOT}<m>${'<a/>'.repeat(most)}</m>`), 'too-many-elements');
  assert.equal(problem(`${ROOT}<${'n'.repeat(nameLength + 1)}/>`), 'name-too-long');
  assert.equal(problem(`${ROOT}<m ${'n'.repeat(nameLength + 1)}='1'/>`), 'name-too-long');
  const declared = `<a xmlns='u1'/><a xmlns='u2'/>`.repeat(declarations);
  assert.equal(problem(`${ROOT}<m>${declared.slice(0, 15 * (declarations + 1))}</m>`), 'too-many-namespaces');
});

test('limits count for one stanza, not for the stream', () => {
  const stanza = `<message><body>${'x'.repeat(900)}</body></message>`;
  const events = read(`${ROOT}${stanza.repeat(200)}`);
  assert.equal(elements(events).length, 200);
});

test('blanks between stanzas cost nothing, however many come', () => {
  const reader = new XmlStreamReader(strangerLimits);
  [...reader.read(Buffer.from(ROOT), 0)];
  for (let i = 0; i < 100; i++) assert.deepEqual([...reader.read(Buffer.alloc(4096, 0x20), i)], []);
  assert.equal(reader.pending, 0);
  assert.equal(reader.started, undefined);
  assert.equal([...reader.read(Buffer.from('<presence/>'), 1)][0]?.type, 'element');
});

test('the age of a stanza counts from its first byte', () => {
  const reader = new XmlStreamReader(strangerLimits);
  [...reader.read(Buffer.from(ROOT), 5)];
  assert.equal(reader.started, undefined);
  [...reader.read(Buffer.from('<mess'), 10)];
  [...reader.read(Buffer.from('age'), 20)];
  assert.equal(reader.started, 10);
  [...reader.read(Buffer.from('/>'), 30)];
  assert.equal(reader.started, undefined);
});

test('what is written again has no prefix, declaration or entity of what was read', () => {
  const tricky =
    `<s:message xmlns:s='jabber:server' xmlns:q='urn:q' to='a@b' q:w='1' xml:lang='de'><s:body>a&#38;&apos;<![CDATA[<b>]]>` +
    `</s:body><q:x/></s:message>`;
  const [stanza] = elements(read(`${ROOT}${tricky}`));
  assert.equal(
    writeXml(stanza!, 'jabber:server'),
    '<message to="a@b" xml:lang="de" xmlns:a0="urn:q" a0:w="1"><body>a&amp;&apos;&lt;b&gt;</body><x xmlns="urn:q"/></message>',
  );
});

test('whatever is written is read as the same element', () => {
  const name = fc.constantFrom('message', 'body', 'x', 'ü');
  const namespace = fc.constantFrom('jabber:server', 'urn:a', 'urn:b&');
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const tree: fc.Arbitrary<XmlElement> = fc.letrec<{ node: XmlElement }>((tie) => ({
    node: fc
      .tuple(
        name,
        namespace,
        text,
        fc.array(fc.oneof({ depthSize: 'small' }, text, tie('node')), { maxLength: 3 }),
      )
      .map(([n, ns, value, children]) => element(ns, n, { id: value }, separated(children))),
  })).node;
  fc.assert(
    fc.property(tree, (original) => {
      const events = read(`${ROOT}${writeXml(original, 'jabber:server')}`, {
        ...strangerLimits,
        depth: 50,
        elements: 500,
        bytes: 1e6,
      });
      assert.deepEqual(elements(events), [original]);
    }),
  );
});

/** Two texts in a row are one text when they are read. */
function separated(children: readonly (XmlElement | string)[]): (XmlElement | string)[] {
  const result: (XmlElement | string)[] = [];
  for (const item of children) {
    const last = result.at(-1);
    if (typeof item === 'string' && typeof last === 'string') result[result.length - 1] = last + item;
    else result.push(item);
  }
  return result;
}

test('what XML cannot carry is written as the replacement character', () => {
  assert.equal(writeXml(element('u', 'a', {}, ['\0\ud800\uffff']), 'u'), '<a>\ufffd\ufffd\ufffd</a>');
});
