import { err, ok, type Result } from '#kernel';
import type { CertificateNames } from '#platform/pki';
import { hostsOf, type NameService } from './connections/locate.ts';
import type { PartnerConnection } from './connections/partner-connection.ts';
import type { LinkFailure } from './connections/partner-link.ts';
import { type Identity, identityOf } from './policy/identity.ts';
import type { Partner } from './policy/partner-table.ts';

/** Finds out whether a connection speaks for a partner's domain, asking the DNS where the certificate alone does not say. */
export class Identification {
  readonly #names: NameService;

  constructor(names: NameService) {
    this.#names = names;
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
    if (partner.proxy !== undefined) return nobody;
    const hosts = await hostsOf(partner, this.#names);
    if (!hosts.ok) return hosts.error;
    return identityOf(names, partner, hosts.value) ?? nobody;
  }
}
