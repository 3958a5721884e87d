import type { XmlElement } from './element.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
const SPECIAL = /[&<>"'\t\n\r]/g;
const NEEDS_CARE = /[^\x20\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]/;
// Outside XML 1.0's Char production (§2.2), lone surrogates among them.
const NO_XML_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;

/** For text and for attribute values in either quotation mark. What XML cannot carry becomes U+FFFD. */
export function escapeXml(text: string): string {
  if (!NEEDS_CARE.test(text)) return text;
  return text.replace(NO_XML_CHARACTER, '\ufffd').replace(SPECIAL, (found) => ESCAPES[found] ?? found);
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/**
 * Writes an element afresh: no prefix, declaration or entity of the received text survives.
 * @param inherited the default namespace where it is written, which then needs no declaration
 */
export function writeXml(element: XmlElement, inherited: string): string {
  const { namespace } = element;
  // Nothing but the prefix `xml` may stand for that namespace (Namespaces in XML §3), and it declares no other for what is inside.
  const isXml = namespace === XML_NAMESPACE;
  const name = isXml ? `xml:${element.name}` : element.name;
  let text = `<${name}`;
  if (!isXml && namespace !== inherited) text += ` xmlns="${escapeXml(namespace)}"`;
  for (const [key, value] of element.attributes) text += ` ${key}="${escapeXml(value)}"`;
  let number = 0;
  for (const attribute of element.foreign) {
    if (attribute.namespace === XML_NAMESPACE) {
      text += ` xml:${attribute.name}="${escapeXml(attribute.value)}"`;
      continue;
    }
    const prefix = `a${number++}`;
    text += ` xmlns:${prefix}="${escapeXml(attribute.namespace)}"`;
    text += ` ${prefix}:${attribute.name}="${escapeXml(attribute.value)}"`;
  }
  if (element.children.length === 0) return `${text}/>`;
  text += '>';
  for (const item of element.children) {
    text += typeof item === 'string' ? escapeXml(item) : writeXml(item, isXml ? inherited : namespace);
  }
  return `${text}</${name}>`;
}
