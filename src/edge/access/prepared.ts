import { err, failure, ok, type Random, type Result } from '#kernel';
import {
  type Credentials,
  loadCredentials,
  loadTrustAnchors,
  publicTrustAnchors,
  type TrustAnchors,
} from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import type { NameSource } from './federation/connections/edge-names.ts';
import { partnerGuard } from './federation/partner-guard.ts';
import { type FederationSettings, federationSettings } from './federation/policy/settings.ts';
import { loadFlowKey, loadSharedFlowKey } from './flow-key.ts';
import { type AccessSettings, accessSettings, localAddressFor } from './settings.ts';

/** A document made ready: its settings, and the files it names. */
export interface Prepared {
  readonly settings: AccessSettings;
  readonly external: Credentials;
  readonly internal: Credentials;
  readonly trust: TrustAnchors;
  readonly federation: FederationSettings;
  /** Whose word counts for partners. */
  readonly partnerTrust: TrustAnchors;
  /** Whether a partner may be at an address. */
  readonly mayDialPartner: (address: string) => boolean;
  /** Who is asked for names, from where. */
  readonly names: NameSource;
  readonly flowKey: Buffer;
}

export async function prepare(
  document: EdgeDocument,
  wall: number,
  random: Random,
): Promise<Result<Prepared>> {
  const settings = accessSettings(document);
  for (const member of settings.nextHop.members) {
    if (localAddressFor(settings, member.address) === undefined) {
      return err(failure('SLP-SIP-0402', `${member.name} at ${member.address}`));
    }
  }
  const external = loadCredentials(document.host.certificates.access, wall);
  if (!external.ok) return external;
  const internal = loadCredentials(document.host.certificates.internal, wall);
  if (!internal.ok) return internal;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  const { partnerCa } = document.host;
  const partnerTrust = partnerCa === undefined ? ok(publicTrustAnchors()) : loadTrustAnchors(partnerCa);
  if (!partnerTrust.ok) return partnerTrust;
  const mayDialPartner = partnerGuard(document);
  if (!mayDialPartner.ok) return mayDialPartner;
  const shared = document.policy.pool.flowKeyFile;
  const flowKey =
    shared === undefined
      ? await loadFlowKey(document.host.stateDirectory, random)
      : await loadSharedFlowKey(shared);
  if (!flowKey.ok) return flowKey;
  return ok({
    settings,
    external: external.value,
    internal: internal.value,
    trust: trust.value,
    federation: federationSettings(document),
    partnerTrust: partnerTrust.value,
    mayDialPartner: mayDialPartner.value,
    names: { resolvers: document.host.resolvers, localAddresses: document.host.addresses.access },
    flowKey: flowKey.value,
  });
}
