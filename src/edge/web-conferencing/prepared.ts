import { ok, type Result } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import { BUILT_SITE, type DoorSettings, loadSite } from '#platform/psom-door';
import type { ServiceLinksSettings } from '#platform/psom-link';
import type { EdgeDocument } from '#platform/topology';

/** A document made ready: the files it names, and what follows from it. */
export interface Prepared {
  readonly document: EdgeDocument;
  /** Towards participants, and for links. */
  readonly external: Credentials;
  readonly internal: Credentials;
  readonly internalTrust: TrustAnchors;
  readonly door: DoorSettings;
}

export function prepare(document: EdgeDocument, wall: number): Result<Prepared> {
  const { host } = document;
  const external = loadCredentials(host.certificates.access, wall);
  if (!external.ok) return external;
  const internal = loadCredentials(host.certificates.internal, wall);
  if (!internal.ok) return internal;
  const internalTrust = loadTrustAnchors(host.internalCa);
  if (!internalTrust.ok) return internalTrust;
  const site = loadSite(BUILT_SITE);
  if (!site.ok) return site;
  const { names, ports, webConferencing } = document.policy;
  const signIn = ports.accessClients === 443 ? '' : `:${ports.accessClients}`;
  return ok({
    document,
    external: external.value,
    internal: internal.value,
    internalTrust: internalTrust.value,
    door: {
      place: { host: names.webConferencing, port: ports.webConferencing },
      signalling: `wss://${names.access}${signIn}/`,
      otherPlaces: [],
      origins: webConferencing.origins,
      site: site.value,
    },
  });
}

const ESTABLISHMENT_MS = 15_000;
const PING_MS = 15_000;
/** Files under way on one link, beside its participants. */
const CONTENTS = 256;

/** The same for links with services. */
export function linkSettings({ document, door }: Prepared, draining: boolean): ServiceLinksSettings {
  const { services, limits } = document.policy.webConferencing;
  return {
    hello: { edge: document.host.name, place: door.place, state: draining ? 'draining' : 'ready' },
    services,
    limits: {
      streams: limits.participants + CONTENTS,
      outboundBytes: limits.bytesWaiting,
      establishmentMs: ESTABLISHMENT_MS,
      pingMs: PING_MS,
    },
  };
}
