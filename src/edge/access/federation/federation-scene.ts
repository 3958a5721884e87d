import type { Credentials, TrustAnchors } from '#platform/pki';
import type { Scene } from '../rewrite/scene.ts';
import type { AccessSettings } from '../settings.ts';
import { type Seal, TopologyHiding } from '../topology-hiding/index.ts';
import { PartnerTable } from './policy/partner-table.ts';
import type { FederationSettings } from './policy/settings.ts';

/** What federation works with while a document runs. */
export interface FederationScene {
  readonly settings: FederationSettings;
  readonly partners: PartnerTable;
  /** As for clients, but that partners find us on the port of federation. */
  readonly scene: Scene;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** External addresses of this service, which connections to partners are bound to. */
  readonly localAddresses: readonly string[];
  /** Whether an address that the DNS gave may be dialled: nobody outside points the edge at the inside. */
  readonly mayDial: (address: string) => boolean;
}

export function federationScene(
  scene: Scene,
  seal: Seal,
  parts: Omit<FederationScene, 'scene' | 'partners'>,
): FederationScene {
  const external = { host: scene.settings.external.host, port: parts.settings.port };
  const settings = { ...scene.settings, external };
  const hiding = new TopologyHiding(seal, settings.disclosure, external);
  const partners = new PartnerTable(parts.settings, ownHosts(settings));
  return { ...parts, partners, scene: { ...scene, settings, hiding } };
}

/** Our SIP domains, and whatever else is ours: neither services of the inside nor conferences are somebody elsewhere. */
function ownHosts({
  sipDomains,
  externalHosts,
  internalHosts,
  nextHopNames,
  guestConferences,
}: AccessSettings) {
  const hosts = [...sipDomains, ...externalHosts, ...internalHosts, ...nextHopNames, ...guestConferences];
  return new Set(hosts.map((host) => host.toLowerCase()));
}

/** Marks the tokens in our Record-Route that name a partner; no flow token has a full stop in it. */
const MARK = 'f.';

/** The token that names a partner's domain: what comes back with it belongs to a dialog with that partner. */
export function partnerToken(seal: Seal, domain: string): string {
  return MARK + seal.seal('partner', domain);
}

/** The partner domain that a token names; undefined for one that we did not make. */
export function openPartnerToken(seal: Seal, token: string): string | undefined {
  return token.startsWith(MARK) ? seal.open('partner', token.slice(MARK.length)) : undefined;
}
