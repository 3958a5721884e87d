import { writeXml, type XmlElement } from '#protocols/xml';
import { NS } from '../namespaces.ts';
import { linkLimits } from '../stream/limits.ts';

/** Left for the origin. */
const ROOM = { bytes: 4096, elements: 1, declarations: 1 } as const;

/**
 * Whether a stanza that was read within `partnerLimits` can be read again after it was written: writing declares a namespace
 * wherever it changes, which what was read may have done once for a thousand elements, and escapes what need not be.
 */
export function fitsLink(stanza: XmlElement): boolean {
  const weight = { elements: 0, declarations: 0, namespaces: 0, text: 0 };
  weigh(stanza, NS.server, weight);
  const { elements, declarations, namespaces, text } = weight;
  if (elements + ROOM.elements > linkLimits.elements) return false;
  if (declarations + ROOM.declarations > linkLimits.declarations) return false;
  const most = linkLimits.bytes - ROOM.bytes;
  if (MOST_GROWTH * (namespaces + text) <= most) return true;
  // Written only when what it holds is not many times what came.
  return namespaces + text <= most && Buffer.byteLength(writeXml(stanza, NS.server)) <= most;
}

/** `'` becomes `&apos;`. */
const MOST_GROWTH = 6;
/** Of the tags of an element and of an attribute, without names: `<`, `>`, `</`, `xmlns=""`, `="" `, `xmlns:a00=""`. */
const TAG = 20;

interface Weight {
  elements: number;
  declarations: number;
  namespaces: number;
  text: number;
}

function weigh(element: XmlElement, inherited: string, weight: Weight): void {
  weight.elements += 1;
  weight.text += 2 * element.name.length + TAG;
  if (element.namespace !== inherited) {
    weight.declarations += 1;
    weight.namespaces += element.namespace.length;
  }
  for (const [key, value] of element.attributes) weight.text += key.length + value.length + TAG;
  for (const { namespace, name, value } of element.foreign) {
    weight.declarations += 1;
    weight.namespaces += namespace.length;
    weight.text += name.length + value.length + TAG;
  }
  for (const item of element.children) {
    if (typeof item === 'string') weight.text += item.length;
    else weigh(item, element.namespace, weight);
  }
}
