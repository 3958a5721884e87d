import { err, ok, type Result } from '#kernel';
import { children, escapeXml, readXmlDocument, textOf, type XmlElement } from '#protocols/xml';
import { isTooLarge, type MrasLimits, mrasLimits } from './request.ts';
import { MRAS_NAMESPACE, type MrasLocation, type MrasReason, mrasReasons } from './vocabulary.ts';

export interface IssuedCredentials {
  /** base64 text. */
  readonly username: string;
  /** base64 text. */
  readonly password: string;
  /** Minutes from now. */
  readonly duration: number;
  readonly realm?: string;
}

/** A relay that the client may use; a port that is absent is not offered. */
export interface MediaRelay {
  readonly location: MrasLocation;
  /** Exactly one of the two: a name to resolve, or an IP literal. */
  readonly hostName?: string;
  readonly directIpAddress?: string;
  readonly udpPort?: number;
  readonly tcpPort?: number;
}

export interface CredentialsResponse {
  readonly id: string;
  readonly credentials: IssuedCredentials;
  readonly relays: readonly MediaRelay[];
}

/** [MS-AVEDGEA] §2.2.2. The echoed attributes are absent when the request could not be read. */
export interface MrasResponse {
  readonly requestId?: string;
  readonly version?: string;
  readonly serverVersion: string;
  readonly to?: string;
  readonly from?: string;
  readonly reason: MrasReason;
  readonly credentials: readonly CredentialsResponse[];
}

export function formatMrasResponse(response: MrasResponse): Buffer {
  const attributes =
    attribute('requestID', response.requestId) +
    attribute('version', response.version) +
    attribute('serverVersion', response.serverVersion) +
    attribute('to', response.to) +
    attribute('from', response.from) +
    attribute('reasonPhrase', response.reason);
  const body = response.credentials.map(formatCredentialsResponse).join('');
  return Buffer.from(
    `<?xml version="1.0"?><response xmlns="${MRAS_NAMESPACE}"${attributes}>${body}</response>`,
    'utf8',
  );
}

function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeXml(value)}"`;
}

function element(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`;
}

function formatCredentialsResponse(response: CredentialsResponse): string {
  const { username, password, duration, realm } = response.credentials;
  const credentials =
    element('username', username) +
    element('password', password) +
    element('duration', duration) +
    element('realm', realm);
  const relays = response.relays.map((relay) => {
    const host = element('hostName', relay.hostName) + element('directIPAddress', relay.directIpAddress);
    const ports = element('udpPort', relay.udpPort) + element('tcpPort', relay.tcpPort);
    return `<mediaRelay>${element('location', relay.location)}${host}${ports}</mediaRelay>`;
  });
  return (
    `<credentialsResponse${attribute('credentialsRequestID', response.id)}>` +
    `<credentials>${credentials}</credentials>` +
    `<mediaRelayList>${relays.join('')}</mediaRelayList></credentialsResponse>`
  );
}

const LONGEST_ID = 64;
const LONGEST_TEXT = 1_024;

/** The client's side: reads a response. Anything that breaks the schema is `malformed`. */
export function parseMrasResponse(
  body: Uint8Array,
  limits: MrasLimits = mrasLimits,
): Result<MrasResponse, 'too-large' | 'malformed'> {
  const read = readXmlDocument(body, { ...limits, depth: limits.depth + 2, elements: limits.elements * 4 });
  if (!read.ok) return err(isTooLarge(read.error) ? 'too-large' : 'malformed');
  const root = read.value;
  if (root.name !== 'response' || root.namespace !== MRAS_NAMESPACE) return err('malformed');
  const reason = mrasReasons.find((phrase) => phrase === root.attributes.get('reasonPhrase'));
  const serverVersion = root.attributes.get('serverVersion');
  if (reason === undefined || serverVersion === undefined) return err('malformed');
  const credentials: CredentialsResponse[] = [];
  for (const child of ownChildren(root, 'credentialsResponse')) {
    const response = readCredentialsResponse(child);
    if (response === undefined) return err('malformed');
    credentials.push(response);
  }
  return ok({ ...readEcho(root.attributes), serverVersion, reason, credentials });
}

function readEcho(attributes: ReadonlyMap<string, string>) {
  const requestId = attributes.get('requestID');
  const version = attributes.get('version');
  const to = attributes.get('to');
  const from = attributes.get('from');
  return {
    ...(requestId === undefined ? {} : { requestId }),
    ...(version === undefined ? {} : { version }),
    ...(to === undefined ? {} : { to }),
    ...(from === undefined ? {} : { from }),
  };
}

function ownChildren(parent: XmlElement, name: string): XmlElement[] {
  return children(parent, name, MRAS_NAMESPACE);
}

function readCredentialsResponse(response: XmlElement): CredentialsResponse | undefined {
  const id = response.attributes.get('credentialsRequestID');
  const credentials = ownChildren(response, 'credentials')[0];
  const list = ownChildren(response, 'mediaRelayList')[0];
  if (id === undefined || id.length > LONGEST_ID || credentials === undefined || list === undefined) {
    return undefined;
  }
  const username = fieldOf(credentials, 'username');
  const password = fieldOf(credentials, 'password');
  const duration = numberOf(credentials, 'duration', 2 ** 31 - 1);
  const realm = fieldOf(credentials, 'realm');
  if (username === undefined || password === undefined || typeof duration !== 'number') return undefined;
  const relays: MediaRelay[] = [];
  for (const child of ownChildren(list, 'mediaRelay')) {
    const relay = readMediaRelay(child);
    if (relay === undefined) return undefined;
    relays.push(relay);
  }
  if (relays.length === 0) return undefined;
  return {
    id,
    credentials: { username, password, duration, ...(realm === undefined ? {} : { realm }) },
    relays,
  };
}

function readMediaRelay(relay: XmlElement): MediaRelay | undefined {
  const location = fieldOf(relay, 'location');
  const hostName = fieldOf(relay, 'hostName');
  const directIpAddress = fieldOf(relay, 'directIPAddress');
  const udpPort = numberOf(relay, 'udpPort', 65_535);
  const tcpPort = numberOf(relay, 'tcpPort', 65_535);
  if (location !== 'internet' && location !== 'intranet') return undefined;
  if ((hostName === undefined) === (directIpAddress === undefined)) return undefined;
  if (udpPort === 'bad' || tcpPort === 'bad') return undefined;
  return {
    location,
    ...(hostName === undefined ? {} : { hostName }),
    ...(directIpAddress === undefined ? {} : { directIpAddress }),
    ...(udpPort === undefined ? {} : { udpPort }),
    ...(tcpPort === undefined ? {} : { tcpPort }),
  };
}

function fieldOf(parent: XmlElement, name: string): string | undefined {
  const field = ownChildren(parent, name)[0];
  const text = field === undefined ? undefined : textOf(field).trim();
  return text === undefined || text === '' || text.length > LONGEST_TEXT ? undefined : text;
}

/** A whole number 1..most; undefined when the element is absent or empty. */
function numberOf(parent: XmlElement, name: string, most: number): number | undefined | 'bad' {
  const text = fieldOf(parent, name);
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(text)) return 'bad';
  const value = Number(text);
  return value >= 1 && value <= most ? value : 'bad';
}
