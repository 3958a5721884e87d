import { err, ok, type Random, type Result } from '#kernel';
import { locate, type Resolver } from '#platform/dns';
import type { CertificateNames } from '#platform/pki';
import type { PartnerConnection } from './connections/partner-connection.ts';
import type { LinkFailure } from './connections/partner-link.ts';
import { linkFailure } from './connections/reach-partner.ts';
import { wayTo } from './connections/way-to.ts';
import { type Identity, identityOf, isWithin } from './policy/identity.ts';
import type { Partner } from './policy/partner-table.ts';

/** Finds out whether a connection speaks for a partner's domain, asking the DNS where the certificate alone does not say. */
export class Identification {
  readonly #resolver: Resolver;
  readonly #random: Random;

  constructor(resolver: Resolver, random: Random) {
    this.#resolver = resolver;
    this.#random = random;
  }

  /** What the certificate alone says. */
  known(names: CertificateNames, partner: Partner): Identity | undefined {
    return identityOf(names, partner, undefined);
  }

  /** Remembered on the connection for as long as the document runs. */
  async find(connection: PartnerConnection, partner: Partner): Promise<Result<Identity, LinkFailure>> {
    const { names } = connection.peer;
    const identity = identityOf(names, partner, undefined) ?? (await this.#byRecords(names, partner));
    if ('reason' in identity) return err(identity);
    connection.learn(identity);
    return ok(identity);
  }

  async #byRecords(names: CertificateNames, partner: Partner): Promise<Identity | LinkFailure> {
    const nobody: LinkFailure = {
      reason: 'from-not-verified',
      detail: `the certificate does not speak for ${partner.domain}`,
    };
    const way = wayTo(partner);
    // Nor can any record help a certificate without a host of the domain: nobody has us ask the DNS for what is not theirs.
    if ('targets' in way || !names.dns.some((name) => isWithin(name, partner.domain))) return nobody;
    // Only what the domain publishes: its own address says nothing about who may speak for it.
    const { fallbackPort: _, ...records } = way;
    const located = await locate(this.#resolver, records, this.#random);
    if (!located.ok) return linkFailure(located.error);
    const hosts = located.value.targets.map(({ host }) => host);
    return identityOf(names, partner, hosts) ?? nobody;
  }
}
