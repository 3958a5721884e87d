import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { readXmlDocument, writeXmlDocument } from './document.ts';
import type { XmlElement } from './element.ts';

const limits = {
  bytes: 2_048,
  depth: 4,
  attributes: 4,
  elements: 16,
  nameLength: 32,
  declarations: 16,
};
const seeds = [
  '<?xml version="1.0" encoding="UTF-8"?><a><b c="1" xml:lang="de">x</b></a>',
  '<p:a xmlns:p="urn:p" p:b="1"><q:c xmlns:q="urn:q"/></p:a>',
  '<a><![CDATA[x]]>&lt;&#65;</a>',
  '<!DOCTYPE a><a/>',
  '<?x y?><a/>',
  '<a b="1" c=\'2\'/>',
  '<a xmlns="urn:a"><xml:b><c/></xml:b></a>',
  '<!--x--><a/>',
].map((text) => Buffer.from(text));

export const targets: readonly FuzzTarget[] = [
  {
    name: 'xml-document',
    seeds,
    run(input) {
      const read = readXmlDocument(input, limits);
      if (!read.ok) return;
      assert.ok(input.length <= limits.bytes);
      assert.ok(count(read.value, 1) <= limits.elements);
      const roomy = { ...limits, bytes: 1 << 20, attributes: 16, declarations: 1_000 };
      assert.deepEqual(readXmlDocument(writeXmlDocument(read.value), roomy), read);
    },
  },
];

/** The elements of the tree, none of them deeper or with more attributes than the limits say. */
function count(element: XmlElement, depth: number): number {
  assert.ok(depth <= limits.depth);
  assert.ok(element.attributes.size + element.foreign.length <= limits.attributes);
  let elements = 1;
  for (const child of element.children) if (typeof child !== 'string') elements += count(child, depth + 1);
  return elements;
}
