import { err, ok, type Result } from '#kernel';
import type { XmlElement } from './element.ts';
import { GuardedParser, Refusal, type XmlProblem } from './guarded-parser.ts';
import type { XmlLimits } from './limits.ts';
import { writeXml } from './write.ts';

/** Reads one whole document of restricted XML: the body of a SIP message, as a rule. */
export function readXmlDocument(bytes: Uint8Array, limits: XmlLimits): Result<XmlElement, XmlProblem> {
  if (bytes.length > limits.bytes) return err('too-many-bytes');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return err('not-utf-8');
  }
  let root: XmlElement | undefined;
  const parser = new GuardedParser(limits, 0, {
    around: () => {},
    item: (element) => {
      root = element;
    },
    aroundEnds: () => {},
  });
  try {
    parser.write(text);
    parser.close();
  } catch (problem) {
    if (problem instanceof Refusal) return err(problem.problem);
    throw problem;
  }
  return root === undefined ? err('not-well-formed') : ok(root);
}

/** A document with its declaration, as the body of a message. */
export function writeXmlDocument(root: XmlElement): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${writeXml(root, '')}`);
}
