import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Directory, newAccount } from '#internal/front-end';
import { FailureError, randomToken, SystemRandom } from '#kernel';
import { LabAuthority } from '#platform/pki';
import { mediaKeyText, type RestCredential, restCredential } from '#protocols/credentials';
import { endWithUs } from '../../src/apps/lab/testing/end-with-us.ts';
import {
  addresses,
  type EdgeName,
  edgeNames,
  type ForeignEdge,
  outsideNetworks,
} from '../network/addresses.ts';
import { runNow } from '../network/command.ts';
import { leftovers, OWN } from '../network/leftovers.ts';
import {
  ACCOUNT,
  allProfiles,
  DOMAIN,
  type EdgeVariant,
  edgeDocument,
  foreignEdgeDocument,
  internalDocument,
  LIST_FILE,
  names,
  partners,
  providers,
  publishedPartners,
  revocationNames,
  xmppPartners,
} from './documents.ts';

export const people = ['alice', 'bob', 'carol', 'grace', 'heidi', 'visitor'] as const;
export type Person = (typeof people)[number];

const HOUR_MS = 3_600_000;

/** Documents, certificates, keys and accounts of a run, in a temporary folder of its own that belongs to the services' account. */
export class ProofFiles {
  readonly folder: string;
  readonly passwords: Readonly<Record<Person, string>>;
  readonly #relayThreads: number;
  readonly #relaySecrets: Readonly<Record<'ours' | 'foreign', string>>;

  private constructor(folder: string, relayThreads: number) {
    const random = new SystemRandom();
    this.folder = folder;
    this.#relayThreads = relayThreads;
    this.#relaySecrets = { ours: randomToken(random, 40), foreign: randomToken(random, 40) };
    this.passwords = {
      alice: randomToken(random, 16),
      bob: randomToken(random, 16),
      carol: randomToken(random, 16),
      grace: randomToken(random, 16),
      heidi: randomToken(random, 16),
      visitor: randomToken(random, 16),
    };
  }

  /** @param relayThreads `host.workers.av` of all edges */
  static async write(relayThreads: number): Promise<ProofFiles> {
    for (const left of leftovers(tmpdir())) rmSync(join(tmpdir(), left), { recursive: true, force: true });
    const folder = mkdtempSync(join(tmpdir(), OWN));
    endWithUs(() => rmSync(folder, { recursive: true, force: true }));
    const files = new ProofFiles(folder, relayThreads);
    await files.#issueCertificates();
    files.#put('media.key', mediaKeyText(randomBytes(32)));
    files.#put('flow.key', `${randomBytes(32).toString('base64')}\n`);
    files.#put('relay.secret', `${files.#relaySecrets.ours}\n`);
    files.#put('foreign.secret', `${files.#relaySecrets.foreign}\n`);
    files.#put('internal.yaml', internalDocument());
    for (const edge of edgeNames) files.vary(edge, { allowed: [], profiles: allProfiles });
    files.#put('foreignEdge.yaml', foreignEdgeDocument(outsideNetworks, relayThreads));
    for (const state of [...edgeNames, 'foreignEdge', 'internal']) mkdirSync(join(folder, state));
    files.#addAccounts();
    files.#handOver();
    return files;
  }

  get authority(): string {
    return this.path('ca.pem');
  }
  path(name: string): string {
    return join(this.folder, name);
  }
  document(program: EdgeName | ForeignEdge | 'internal'): string {
    return this.path(`${program}.yaml`);
  }

  /** Writes an edge's document. */
  vary(edge: EdgeName, variant: EdgeVariant): void {
    this.#put(`${edge}.yaml`, edgeDocument(edge, variant, this.#relayThreads));
  }
  /** A time-limited relay credential, as an organisation's own service makes it from its static secret. */
  relayCredential(user: string, organisation: 'ours' | 'foreign' = 'ours'): RestCredential {
    return restCredential(this.#relaySecrets[organisation], user, Date.now() + HOUR_MS);
  }
  /** Copies the logs of the programs to a folder. */
  keepLogs(folder: string): void {
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(this.folder).filter((name) => name.endsWith('.log')))
      copyFileSync(this.path(file), join(folder, file));
  }
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #put(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  async #issueCertificates(): Promise<void> {
    const authority = await LabAuthority.create({ name: 'Perimeter proof CA' });
    await authority.writeCertificate(this.authority);
    const issue = (name: string, request: Parameters<LabAuthority['issueTo']>[1]) =>
      authority.issueTo({ certificate: this.path(`${name}.pem`), key: this.path(`${name}.key`) }, request);
    // Good for a client, too: the partner that we did not write insists on it.
    await issue('access', { name: names.access, hosts: [names.access, DOMAIN] });
    for (const edge of [...edgeNames, 'foreignEdge'] as const)
      await issue(edge, { name: names[edge], hosts: [names[edge]] });
    const outside = {
      partner: [...Object.values(partners), ...Object.values(publishedPartners)].map(({ proxy }) => proxy),
      provider: Object.values(providers).map(({ proxy }) => proxy),
      'xmpp-partner': Object.values(xmppPartners).map(({ domain }) => domain),
    };
    const lists = Object.values(revocationNames).map((host) => `http://${host}/${LIST_FILE}`);
    for (const [name, hosts] of Object.entries(outside)) await issue(name, { name, hosts, lists });
    mkdirSync(this.path('web'));
    writeFileSync(this.path(`web/${LIST_FILE}`), await authority.revocationList([]));
    const hosts = [names.frontEnd, names.frontEndSix, DOMAIN, addresses.frontEnd.v4];
    await issue('front-end', { name: names.frontEnd, hosts });
  }

  #addAccounts(): void {
    const opened = Directory.open(this.path('internal/front-end.sqlite'));
    if (!opened.ok) throw new FailureError(opened.error);
    for (const person of people) {
      // The softphone that we did not write knows MD5 only.
      const algorithm = person === 'visitor' ? 'MD5' : 'SHA-256';
      const address = `${person}@${DOMAIN}`;
      const account = newAccount({ address, password: this.passwords[person], algorithm }, [DOMAIN]);
      if (!account.ok) throw new FailureError(account.error);
      opened.value.save(account.value);
    }
    opened.value.close();
  }

  /** The services read and write as their account; everything of ours is for them. */
  #handOver(): void {
    const [user, group] = ['-u', '-g'].map((what) => Number(runNow('id', [what, ACCOUNT]) || Number.NaN));
    if (user === undefined || group === undefined || Number.isNaN(user))
      throw new Error(`this machine has no account ${ACCOUNT}, which the services run as; add it`);
    chmodSync(this.folder, 0o755);
    for (const file of readdirSync(this.folder, { recursive: true, encoding: 'utf8' }))
      chownSync(this.path(file), user, group);
    chownSync(this.folder, user, group);
  }
}
