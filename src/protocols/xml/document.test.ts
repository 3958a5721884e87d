import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXmlDocument, writeXmlDocument } from './document.ts';
import { child, children, element, textOf } from './element.ts';
import type { XmlLimits } from './limits.ts';

const limits: XmlLimits = {
  bytes: 1000,
  depth: 3,
  attributes: 3,
  elements: 5,
  nameLength: 16,
  declarations: 4,
};

function problem(text: string | Uint8Array): string {
  const read = readXmlDocument(Buffer.from(text as string), limits);
  return read.ok ? 'none' : read.error;
}

test('a document is read as a tree of elements, with or without declaration and byte order mark', () => {
  const text = `<p:a xmlns:p='urn:a' xmlns='urn:b'><b xml:lang='de'>x<![CDATA[<]]>&amp;</b> <b/><p:b/></p:a>\n`;
  for (const before of ['', '<?xml version="1.0" encoding="utf-8"?>\r\n', '\ufeff']) {
    const read = readXmlDocument(Buffer.from(before + text), limits);
    assert.ok(read.ok);
    assert.equal(read.value.namespace, 'urn:a');
    const [first] = children(read.value, 'b', 'urn:b');
    assert.ok(first !== undefined);
    assert.equal(textOf(first), 'x<&');
    assert.equal(first.attributes.get('xml:lang'), 'de');
    assert.equal(children(read.value, 'b', 'urn:b').length, 2);
    assert.equal(child(read.value, 'b', 'urn:a')?.children.length, 0);
  }
});

test('what is not one whole document of restricted XML is refused, each kind by its name', () => {
  assert.equal(problem(''), 'not-well-formed');
  assert.equal(problem('<a>'), 'not-well-formed');
  assert.equal(problem('<a/><b/>'), 'not-well-formed');
  assert.equal(problem('<a/>text'), 'not-well-formed');
  assert.equal(problem('<!DOCTYPE a><a/>'), 'doctype');
  assert.equal(problem('<a><!-- c --></a>'), 'comment');
  assert.equal(problem('<?php x?><a/>'), 'processing-instruction');
  assert.equal(problem('<a>&xxe;</a>'), 'entity');
  assert.equal(problem('<?xml version="1.1"?><a/>'), 'xml-version');
  assert.equal(problem(Buffer.from([0x3c, 0x61, 0xff])), 'not-utf-8');
});

test('every count and every length has a limit', () => {
  assert.equal(problem(`<a>${'x'.repeat(limits.bytes)}</a>`), 'too-many-bytes');
  assert.equal(problem('<a><a><a><a/></a></a></a>'), 'too-deep');
  assert.equal(problem('<a b="" c="" d="" e=""/>'), 'too-many-attributes');
  assert.equal(problem(`<a>${'<b/>'.repeat(limits.elements)}</a>`), 'too-many-elements');
  assert.equal(problem(`<${'a'.repeat(limits.nameLength + 1)}/>`), 'name-too-long');
  const declared = Array.from({ length: 5 }, (_, i) => `<a xmlns='u${i}'>`).slice(0, 3);
  assert.equal(
    problem(`${declared.join('')}<x xmlns='a' xmlns:b='c'/>`.replace('<x', '</a><x')),
    'too-many-namespaces',
  );
});

test('a document is written with its declaration, and read as the same', () => {
  const root = element('urn:a', 'a', { b: '"<\n' }, [element('urn:b', 'c', {}, ['x & y'])]);
  const bytes = writeXmlDocument(root);
  assert.match(bytes.toString(), /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<a xmlns="urn:a"/);
  assert.deepEqual(readXmlDocument(bytes, limits), { ok: true, value: root });
});

test('an element in the namespace of `xml:` is written so that it can be read again', () => {
  const bytes = Buffer.from('<a xmlns="urn:a"><xml:x xml:id="1"><b/></xml:x><xml:y/></a>');
  const read = readXmlDocument(bytes, limits);
  assert.ok(read.ok);
  assert.deepEqual(readXmlDocument(writeXmlDocument(read.value), limits), read);
});
