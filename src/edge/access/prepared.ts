import { err, failure, ok, type Random, type Result, type WallTime } from '#kernel';
import { examineCertificates } from '#platform/certificate-plan';
import {
  type Credentials,
  loadCredentials,
  loadTrustAnchors,
  matchName,
  publicTrustAnchors,
  type TrustAnchors,
} from '#platform/pki';
import { type RevocationPolicy, revocationPolicy } from '#platform/revocation';
import type { WorkerPlace } from '#platform/service';
import type { EdgeDocument } from '#platform/topology';
import type { NameSource } from './federation/connections/edge-names.ts';
import { partnerGuard } from './federation/partner-guard.ts';
import { type FederationSettings, federationSettings } from './federation/policy/settings.ts';
import { loadFlowKeys } from './flow-key.ts';
import { type AccessSettings, ALONE, accessSettings, localAddressFor } from './settings.ts';
import type { SealSecrets } from './topology-hiding/index.ts';
import { shareOf } from './workers/share.ts';
import { workerSocket } from './workers/siblings.ts';

/** Longest path of a Unix socket on Linux, in bytes, without its final zero. */
const LONGEST_PATH = 107;

/** A document made ready: its settings, and the files it names. */
export interface Prepared {
  readonly settings: AccessSettings;
  readonly external: Credentials;
  /** Further identities towards clients, by SNI. */
  readonly named: readonly { readonly name: string; readonly credentials: Credentials }[];
  readonly internal: Credentials;
  readonly trust: TrustAnchors;
  /** What the operator has to know about certificates that can be used, but not for all that this document wants. */
  readonly warnings: readonly string[];
  readonly federation: FederationSettings;
  /** Whose word counts for partners. */
  readonly partnerTrust: TrustAnchors;
  /** Whether a partner may be at an address. */
  readonly mayDialPartner: (address: string) => boolean;
  /** Who is asked for names, from where. */
  readonly names: NameSource;
  /** Whether and how it is asked if their certificates still stand. */
  readonly revocation: RevocationPolicy;
  /** host.stateDirectory */
  readonly folder: string;
  /** Behind flow tokens and whatever is sealed. */
  readonly flowKeys: SealSecrets;
}

export async function prepare(
  document: EdgeDocument,
  wall: WallTime,
  random: Random,
  place: WorkerPlace = ALONE,
): Promise<Result<Prepared>> {
  const settings = accessSettings(document, place);
  for (const member of settings.nextHop.members) {
    if (localAddressFor(settings, member.address) === undefined) {
      return err(failure('SLP-SIP-0402', `${member.name} at ${member.address}`));
    }
  }
  if (
    place.count > 1 &&
    Buffer.byteLength(workerSocket(document.host.stateDirectory, place.count)) > LONGEST_PATH
  )
    return err(failure('SLP-SIP-0403', document.host.stateDirectory));
  const external = loadCredentials(document.host.certificates.access, wall);
  if (!external.ok) return external;
  const named = loadNamed(document.host.certificates.accessDomains, wall);
  if (!named.ok) return named;
  const internal = loadCredentials(document.host.certificates.internal, wall);
  if (!internal.ok) return internal;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  const { partnerCa } = document.host;
  const partnerTrust = partnerCa === undefined ? ok(publicTrustAnchors()) : loadTrustAnchors(partnerCa);
  if (!partnerTrust.ok) return partnerTrust;
  const mayDialPartner = partnerGuard(document);
  if (!mayDialPartner.ok) return mayDialPartner;
  const revocation = revocationPolicy(document);
  if (!revocation.ok) return revocation;
  const flowKeys = await loadFlowKeys(document.host.stateDirectory, document.policy.pool, random);
  if (!flowKeys.ok) return flowKeys;
  return ok({
    settings,
    external: external.value,
    named: named.value,
    internal: internal.value,
    trust: trust.value,
    warnings: [
      ...external.value.warnings,
      ...internal.value.warnings,
      ...unfitFor(document, wall, partnerTrust.value),
    ],
    federation: federationOf(document, place),
    partnerTrust: partnerTrust.value,
    mayDialPartner: mayDialPartner.value,
    names: { resolvers: document.host.resolvers, localAddresses: document.host.addresses.access },
    revocation: revocation.value,
    folder: document.host.stateDirectory,
    flowKeys: flowKeys.value,
  });
}

/** By these rules of the examination peers refuse a certificate that can be loaded. */
const REFUSED_BY_PEERS: ReadonlySet<string> = new Set(['no-names', 'name-missing', 'usage']);

/** Certificates without a name or a usage that this document needs; peers find out one by one. */
function unfitFor(document: EdgeDocument, wall: WallTime, outside: TrustAnchors): string[] {
  return examineCertificates(document, { at: wall, outside })
    .findings.filter(({ severity, rule }) => severity === 'error' && REFUSED_BY_PEERS.has(rule))
    .map(({ what, instead }) => `${what}: ${instead}`);
}

function federationOf(document: EdgeDocument, place: WorkerPlace): FederationSettings {
  const settings = federationSettings(document);
  const { limits } = settings;
  return { ...settings, limits: { ...limits, connections: shareOf(limits.connections, place) } };
}

/** One that does not hold its name would break the sign-in of everybody who asks for it. */
function loadNamed(
  files: EdgeDocument['host']['certificates']['accessDomains'],
  wall: number,
): Result<Prepared['named'][number][]> {
  const loaded: Prepared['named'][number][] = [];
  for (const pair of files) {
    const credentials = loadCredentials(pair, wall);
    if (!credentials.ok) return credentials;
    if (matchName(credentials.value.names, [pair.name], { wildcards: true }) === undefined)
      return err(failure('SLP-SIP-0501', `${pair.certificate} does not name ${pair.name}`));
    loaded.push({ name: pair.name, credentials: credentials.value });
  }
  return ok(loaded);
}
