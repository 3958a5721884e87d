import { FieldLine, type SipRequest } from '#protocols/sip';
import { ASSERTED_SOURCE, assertedSourceAround } from '#protocols/trust-marking';
import type { AccessSettings } from '../settings.ts';
import type { TopologyHiding } from '../topology-hiding/index.ts';

/** What rewriting needs besides the message: the running document, and how the inside is hidden. */
export interface Scene {
  readonly settings: AccessSettings;
  readonly hiding: TopologyHiding;
  /** Counts header fields that were taken out. */
  readonly stripped: () => void;
  readonly scrubbed: () => void;
}

/** Our URI at the external interface for the connection that `token` names, without angle brackets. */
export function externalUri(settings: AccessSettings, token: string, parameters = ''): string {
  const { host, port } = settings.external;
  const transport = settings.external.webSocket === true ? 'ws' : 'tls';
  return `sip:${token}@${host}:${port};transport=${transport};lr${parameters}`;
}

/** Whether a route entry leads to our external interface. */
export function isExternalUri(entry: string, { settings: { external } }: Scene): boolean {
  return entry.includes(`@${external.host}:${external.port};`) && entry.includes(';lr');
}

/** The topmost Via of what leaves towards clients, as far as its parameters. */
export function externalVia({ external: { host, port, webSocket } }: AccessSettings): string {
  return `SIP/2.0/${webSocket === true ? 'WSS' : 'TLS'} ${host}:${port}`;
}

/** What rewriting for clients that speak WebSocket needs (RFC 7118 §5.2, §5.3). */
export function webSocketScene(scene: Scene): Scene {
  const external = { ...scene.settings.external, webSocket: true };
  return { ...scene, settings: { ...scene.settings, external } };
}

/** The same at the internal interface. */
export function internalUri(settings: AccessSettings, token: string, parameters = ''): string {
  const { host, port } = settings.internal;
  return `sip:${token}@${host}:${port};transport=tls;lr${parameters}`;
}

/** What is added to nearly every request on its way inward; each has a place for what differs. */
export interface InwardLines {
  /** Our Via; the branch goes on with it. */
  readonly via: FieldLine;
  /** The marks of who was accepted, by the address of record. */
  readonly remoteUser: FieldLine;
  readonly guest: FieldLine;
}

/** Of each scene they are made once. */
export function inwardLines(scene: Scene): InwardLines {
  let lines = known.get(scene);
  if (lines === undefined) {
    const { host, port } = scene.settings.internal;
    const mark = (source: 'remote-user' | 'guest') =>
      new FieldLine(ASSERTED_SOURCE, ...assertedSourceAround({ source, edge: host }));
    lines = {
      via: new FieldLine('Via', `SIP/2.0/TLS ${host}:${port};branch=`),
      remoteUser: mark('remote-user'),
      guest: mark('guest'),
    };
    known.set(scene, lines);
  }
  return lines;
}
const known = new WeakMap<Scene, InwardLines>();

/** The parameter of our internal URI that names the key by which the Call-ID of a dialog was hidden. */
const SHOWN = /;shown=([0-9a-f]{8})(?![0-9a-zA-Z])/;
/** Of a dialog we have recorded two routes. */
const OWN_ROUTES = 2;

/** Other keys may be in use when the inside speaks again, and the outside has to know the dialog by its Call-ID. */
export function shownParameter(key: string | undefined): string {
  return key === undefined ? '' : `;shown=${key}`;
}
export function shownBy(request: SipRequest): string | undefined {
  if (request.to.tag === undefined) return undefined;
  for (const uri of [request.uri, ...request.values('Route').slice(0, OWN_ROUTES)]) {
    const key = SHOWN.exec(uri)?.[1];
    if (key !== undefined) return key;
  }
  return undefined;
}
