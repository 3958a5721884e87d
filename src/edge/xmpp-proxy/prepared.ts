import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { err, failure, ok, type Result } from '#kernel';
import { addressGuard } from '#platform/partner-dial';
import {
  type Credentials,
  loadCredentials,
  loadTrustAnchors,
  publicTrustAnchors,
  type TrustAnchors,
} from '#platform/pki';
import { type RevocationPolicy, revocationPolicy } from '#platform/revocation';
import type { EdgeDocument } from '#platform/topology';
import { PartnerTable } from './policy/partner-table.ts';

const SECRET_BYTES = 32;

/** A document made ready: the files it names, and what follows from it. */
export interface Prepared {
  readonly document: EdgeDocument;
  readonly partners: PartnerTable;
  /** Towards partners, and for links. */
  readonly external: Credentials;
  readonly internal: Credentials;
  readonly partnerTrust: TrustAnchors;
  readonly internalTrust: TrustAnchors;
  /** Whether a partner may be at an address. */
  readonly mayDial: (address: string) => boolean;
  readonly revocation: RevocationPolicy;
  /** From which dialback keys are made: the same on every edge of the pool, any of which may be asked. */
  readonly dialbackSecret: string;
  /** Those of the other keys of credentials: an edge that has not gone over to the newest asks by them, or is asked. */
  readonly otherDialbackSecrets: readonly string[];
  /** External addresses that are dialled from, at most one of each family. */
  readonly localAddresses: readonly string[];
}

export function prepare(document: EdgeDocument, wall: number): Result<Prepared> {
  const { host, policy } = document;
  const external = loadCredentials(host.certificates.access, wall);
  if (!external.ok) return external;
  const internal = loadCredentials(host.certificates.internal, wall);
  if (!internal.ok) return internal;
  const internalTrust = loadTrustAnchors(host.internalCa);
  if (!internalTrust.ok) return internalTrust;
  const partnerTrust =
    host.partnerCa === undefined ? ok(publicTrustAnchors()) : loadTrustAnchors(host.partnerCa);
  if (!partnerTrust.ok) return partnerTrust;
  const { access, webConferencing, av, internal: inside } = host.addresses;
  const mayDial = addressGuard({
    ownAddresses: [...access, ...webConferencing, ...av, ...inside],
    internalNetworks: policy.internalNetworks,
    allowedNetworks: policy.xmpp.allowedNetworks,
  });
  if (!mayDial.ok) return mayDial;
  const revocation = revocationPolicy(document);
  if (!revocation.ok) return revocation;
  const dialbackSecret = readSecret(policy.mediaCredentials.keyFile);
  if (!dialbackSecret.ok) return dialbackSecret;
  const others = policy.mediaCredentials.previousKeyFiles.map(readSecret);
  const unreadable = others.find((secret) => !secret.ok);
  if (unreadable?.ok === false) return unreadable;
  return ok({
    document,
    partners: new PartnerTable(policy.federation.enabled ? policy.xmpp.partners : []),
    external: external.value,
    internal: internal.value,
    partnerTrust: partnerTrust.value,
    internalTrust: internalTrust.value,
    mayDial: mayDial.value,
    revocation: revocation.value,
    dialbackSecret: dialbackSecret.value,
    otherDialbackSecrets: others.flatMap((secret) => (secret.ok ? [secret.value] : [])),
    localAddresses: oneOfEachFamily(access),
  });
}

/** The pool has one secret already, in a file that is the same on each of its edges; what is made of it says nothing about it. */
function readSecret(file: string): Result<string> {
  try {
    const key = hkdfSync('sha256', readFileSync(file), '', 'sallyport xmpp dialback 1', SECRET_BYTES);
    return ok(Buffer.from(key).toString('hex'));
  } catch (problem) {
    return err(failure('SLP-AV-0203', `${file}: ${(problem as NodeJS.ErrnoException).code ?? 'unreadable'}`));
  }
}

function oneOfEachFamily(addresses: readonly string[]): string[] {
  const [four, six] = [addresses.find((address) => !isIPv6(address)), addresses.find(isIPv6)];
  return [four, six].filter((address) => address !== undefined);
}
