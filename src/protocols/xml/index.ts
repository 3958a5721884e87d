export { readXmlDocument, writeXmlDocument } from './document.ts';
export { child, children, element, textOf, type XmlElement } from './element.ts';
export { type XmlProblem, xmlProblems } from './guarded-parser.ts';
export type { XmlLimits } from './limits.ts';
export { type StreamRoot, XmlStreamReader } from './stream-reader.ts';
export { escapeXml, writeXml } from './write.ts';
