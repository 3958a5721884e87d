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
  return `sip:${token}@${host}:${port};transport=tls;lr${parameters}`;
}

/** The same at the internal interface. */
export function internalUri(settings: AccessSettings, token: string, parameters = ''): string {
  const { host, port } = settings.internal;
  return `sip:${token}@${host}:${port};transport=tls;lr${parameters}`;
}
