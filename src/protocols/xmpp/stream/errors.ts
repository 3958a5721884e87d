import { element, type XmlElement, type XmlProblem } from '#protocols/xml';
import { NS } from '../namespaces.ts';

/** The conditions of stream errors (RFC 6120 §4.9.3). */
export const streamConditions = [
  'bad-format',
  'bad-namespace-prefix',
  'conflict',
  'connection-timeout',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-authorized',
  'not-well-formed',
  'policy-violation',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'restricted-xml',
  'see-other-host',
  'system-shutdown',
  'undefined-condition',
  'unsupported-encoding',
  'unsupported-feature',
  'unsupported-stanza-type',
  'unsupported-version',
] as const;

export type StreamCondition = (typeof streamConditions)[number];

export function streamError(condition: StreamCondition, text?: string): XmlElement {
  const detail = text === undefined ? [] : [element(NS.streamErrors, 'text', { 'xml:lang': 'en' }, [text])];
  return element(NS.streams, 'error', {}, [element(NS.streamErrors, condition), ...detail]);
}

/** The condition of a received `<stream:error/>`; one that is unknown is `undefined-condition`. */
export function conditionOf(error: XmlElement): StreamCondition {
  for (const item of error.children) {
    if (typeof item === 'string' || item.namespace !== NS.streamErrors) continue;
    const known = streamConditions.find((condition) => condition === item.name);
    if (known !== undefined) return known;
  }
  return 'undefined-condition';
}

/** What the peer is told about its XML (RFC 6120 §4.9.3, §11.1). */
export function conditionFor(problem: XmlProblem): StreamCondition {
  switch (problem) {
    case 'not-well-formed':
      return 'not-well-formed';
    case 'not-utf-8':
      return 'unsupported-encoding';
    case 'doctype':
    case 'comment':
    case 'processing-instruction':
    case 'entity':
      return 'restricted-xml';
    case 'xml-version':
      return 'unsupported-version';
    case 'text-between-stanzas':
      return 'bad-format';
    case 'too-many-bytes':
    case 'too-deep':
    case 'too-many-attributes':
    case 'too-many-elements':
    case 'too-many-namespaces':
    case 'name-too-long':
      return 'policy-violation';
  }
}
