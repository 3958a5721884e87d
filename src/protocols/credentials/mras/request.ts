import { err, ok, type Result } from '#kernel';
import {
  escapeXml,
  readXmlDocument,
  textOf,
  type XmlElement,
  type XmlLimits,
  type XmlProblem,
} from '#protocols/xml';
import { MRAS_NAMESPACE, type MrasLocation, type MrasReason, type MrasRoute } from './vocabulary.ts';

/** One thing asked for: credentials for one identity ([MS-AVEDGEA] §2.2.1). */
export interface CredentialsRequest {
  /** 1 to 64 characters, echoed in the response. */
  readonly id: string;
  /** The user's SIP URI, as a rule; any text of 1 to 65 536 characters. */
  readonly identity: string;
  /** Only relays of this side are wanted; both when absent. */
  readonly location?: MrasLocation;
  /** Minutes, at least 1. */
  readonly duration?: number;
}

export interface MrasRequest {
  /** 1 to 64 characters. */
  readonly requestId: string;
  /** `1.0` or `2.0`. */
  readonly version: string;
  readonly to: string;
  readonly from: string;
  readonly route: MrasRoute;
  /** 1 to 100. */
  readonly credentials: readonly CredentialsRequest[];
}

/** What of a refused request can still be echoed. */
export interface MrasRequestProblem {
  readonly reason: MrasReason & ('Request Malformed' | 'Request Too Large' | 'Version Mismatch');
  readonly echo?: Pick<MrasRequest, 'requestId' | 'version' | 'to' | 'from'>;
}

export interface MrasLimits extends XmlLimits {
  /** credentialsRequest elements of one request. */
  readonly credentialsRequests: number;
  /** Bytes of a response's body; a request that needs more is too large. */
  readonly responseBytes: number;
}

export const mrasLimits: MrasLimits = {
  bytes: 65_536,
  depth: 4,
  attributes: 16,
  elements: 1_024,
  nameLength: 256,
  declarations: 1_024,
  credentialsRequests: 100,
  responseBytes: 61_440,
};

const LONGEST_ID = 64;
const LONGEST_URI = 1_024;
const LONGEST_IDENTITY = 65_536;

/** Largest duration that is kept apart from "as long as possible": ten years in minutes. */
const LONGEST_DURATION = 5_256_000;

/** Reads the body of a SERVICE request by the rules of [MS-AVEDGEA] §2.2.1 and §3.1.5.1. */
export function parseMrasRequest(
  body: Uint8Array,
  limits: MrasLimits = mrasLimits,
): Result<MrasRequest, MrasRequestProblem> {
  const read = readXmlDocument(body, limits);
  if (!read.ok) {
    return err({ reason: isTooLarge(read.error) ? 'Request Too Large' : 'Request Malformed' });
  }
  const root = read.value;
  const head = readHead(root);
  if (head === undefined) return err({ reason: 'Request Malformed' });
  const { route, ...echo } = head;
  if (!/^[12]\.0$/.test(head.version)) return err({ reason: 'Version Mismatch', echo });
  const asked = ownChildren(root);
  if (asked.length > limits.credentialsRequests) return err({ reason: 'Request Too Large', echo });
  const credentials: CredentialsRequest[] = [];
  for (const element of asked) {
    const request = readCredentialsRequest(element);
    if (request === undefined) return err({ reason: 'Request Malformed', echo });
    credentials.push(request);
  }
  if (credentials.length === 0) return err({ reason: 'Request Malformed', echo });
  return ok({ ...echo, route, credentials });
}

/** Over a limit of size or count; everything else that is refused breaks the schema. */
export function isTooLarge(problem: XmlProblem): boolean {
  return ['too-many-bytes', 'too-many-attributes', 'too-many-elements', 'too-many-namespaces'].includes(
    problem,
  );
}

function readHead(root: XmlElement): Omit<MrasRequest, 'credentials'> | undefined {
  if (root.name !== 'request' || root.namespace !== MRAS_NAMESPACE) return undefined;
  const requestId = bounded(root.attributes.get('requestID'), LONGEST_ID);
  const version = bounded(root.attributes.get('version')?.trim(), 16);
  const to = sipUri(root.attributes.get('to'));
  const from = sipUri(root.attributes.get('from'));
  const route = root.attributes.get('route') ?? 'loadbalanced';
  if (requestId === undefined || version === undefined || to === undefined || from === undefined)
    return undefined;
  if (route !== 'loadbalanced' && route !== 'directip') return undefined;
  return { requestId, version, to, from, route };
}

/** Elements of other namespaces are extensions, which may be ignored. */
function ownChildren(element: XmlElement): XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && child.namespace === MRAS_NAMESPACE,
  );
}

function readCredentialsRequest(element: XmlElement): CredentialsRequest | undefined {
  if (element.name !== 'credentialsRequest') return undefined;
  const id = bounded(element.attributes.get('credentialsRequestID'), LONGEST_ID);
  const fields = new Map<string, string>();
  for (const child of ownChildren(element)) {
    if (fields.has(child.name) || ownChildren(child).length > 0) return undefined;
    fields.set(child.name, textOf(child));
  }
  const identity = bounded(fields.get('identity'), LONGEST_IDENTITY);
  if (id === undefined || identity === undefined) return undefined;
  const location = fields.get('location')?.trim();
  if (location !== undefined && location !== 'internet' && location !== 'intranet') return undefined;
  const durationText = fields.get('duration');
  const duration = durationText === undefined ? undefined : readMinutes(durationText);
  if (durationText !== undefined && duration === undefined) return undefined;
  for (const name of fields.keys()) if (!knownFields.has(name)) return undefined;
  return {
    id,
    identity,
    ...(location === undefined ? {} : { location }),
    ...(duration === undefined ? {} : { duration }),
  };
}

const knownFields: ReadonlySet<string> = new Set(['identity', 'location', 'duration']);

function bounded(text: string | undefined, longest: number): string | undefined {
  return text === undefined || text.length === 0 || text.length > longest ? undefined : text;
}

function sipUri(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= LONGEST_URI && /^sips?:[^\s<>"]+$/i.test(text)
    ? text
    : undefined;
}

/** xs:positiveInteger; values beyond ten years are all the same. */
function readMinutes(text: string): number | undefined {
  const digits = /^\+?0*([1-9][0-9]*)$/.exec(text.trim())?.[1];
  if (digits === undefined) return undefined;
  return digits.length > 9 ? LONGEST_DURATION : Math.min(Number(digits), LONGEST_DURATION);
}

/** The client's side: the body of a SERVICE request. */
export function formatMrasRequest(request: MrasRequest): Buffer {
  const route = request.route === 'directip' ? ' route="directip"' : '';
  const head =
    `<request xmlns="${MRAS_NAMESPACE}" requestID="${escapeXml(request.requestId)}"` +
    ` version="${escapeXml(request.version)}" to="${escapeXml(request.to)}"` +
    ` from="${escapeXml(request.from)}"${route}>`;
  const asked = request.credentials.map((one) => {
    const location = one.location === undefined ? '' : `<location>${one.location}</location>`;
    const duration = one.duration === undefined ? '' : `<duration>${one.duration}</duration>`;
    return (
      `<credentialsRequest credentialsRequestID="${escapeXml(one.id)}">` +
      `<identity>${escapeXml(one.identity)}</identity>${location}${duration}</credentialsRequest>`
    );
  });
  return Buffer.from(`${head}${asked.join('')}</request>`, 'utf8');
}
