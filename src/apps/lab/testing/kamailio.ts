import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabPlan, labFiles } from '../lab-plan.ts';
import { ChildProgram } from './child-program.ts';

/** What the guide ships, used here as it is. */
const SHIPPED = join(import.meta.dirname, '../../../../docs/guides/kamailio-next-hop');
const SHARED_MEMORY_MB = '64';

export interface KamailioOptions {
  readonly plan: LabPlan;
  /** Passwords by user of the plan's domain. */
  readonly accounts: Readonly<Record<string, string>>;
  /** The web conferencing service, when there is one. */
  readonly conferences?: { readonly domain: string; readonly name: string; readonly sip: string };
  /** Who else may write to users; default: nobody, as the guide ships it. */
  readonly outsiders?: string;
  /** What it logs of those who write; default 1, as the guide ships it. */
  readonly logLevel?: 1 | 2;
}

/** Debian's Kamailio as the next hop, with the configuration that the guide ships. */
export class Kamailio {
  readonly program: ChildProgram;

  private constructor(program: ChildProgram) {
    this.program = program;
  }

  /** Starts it; the edge finds it when it listens. */
  static start(options: KamailioOptions): Kamailio {
    const { plan, accounts, conferences } = options;
    const folder = join(plan.folder, `kamailio-${plan.frontEnd.address}`);
    const files = labFiles(plan);
    mkdirSync(join(folder, 'accounts'), { recursive: true });
    for (const file of ['kamailio.cfg', 'tls.cfg', 'accounts/version']) {
      copyFileSync(join(SHIPPED, file), join(folder, file));
    }
    copyFileSync(files.authority, join(folder, 'internal-ca.pem'));
    copyFileSync(files.frontEnd.certificate, join(folder, 'certificate.pem'));
    copyFileSync(files.frontEnd.key, join(folder, 'certificate.key'));
    writeFileSync(join(folder, 'accounts', 'subscriber'), subscribers(plan.domain, accounts));
    const program = new ChildProgram({
      program: 'kamailio',
      debianPackage: 'kamailio, with kamailio-tls-modules and kamailio-outbound-modules',
      parameters: [
        ...['-DD', '-E', '-f', join(folder, 'kamailio.cfg'), '-w', folder, '-Y', folder],
        ...['-P', join(folder, 'kamailio.pid'), '-m', SHARED_MEMORY_MB],
        ...[...values(options, folder), ...conferenceValues(conferences)].flatMap((value) => ['-A', value]),
      ],
      folder,
    });
    return new Kamailio(program);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }
}

/** The lines at the top of kamailio.cfg that differ at every site. */
function values({ plan, outsiders, logLevel }: KamailioOptions, folder: string): string[] {
  const { domain, names, frontEnd, internal } = plan;
  const edge = (port: number) => `"sip:${internal.address}:${port};transport=tls"`;
  return [
    `LISTEN=tls:${frontEnd.address}:${frontEnd.port}`,
    `SIP_DOMAIN="${domain}"`,
    `EDGE_NAME="${names.edge}"`,
    `EDGE_SIP=${edge(internal.sip)}`,
    `EDGE_AV_AUTHENTICATION=${edge(internal.authentication)}`,
    `ACCOUNTS="text://${join(folder, 'accounts')}"`,
    `CONTROL="unix:${join(folder, 'control')}"`,
    ...(outsiders === undefined ? [] : [`OUTSIDERS="${outsiders}"`]),
    ...(logLevel === undefined ? [] : [`LOG_LEVEL=${logLevel}`]),
  ];
}

function conferenceValues(conferences: KamailioOptions['conferences']): string[] {
  if (conferences === undefined) return [];
  const { domain, name, sip } = conferences;
  return [`CONFERENCE_DOMAIN="${domain}"`, `FOCUS_NAME="${name}"`, `FOCUS_SIP="${sip}"`];
}

/** The accounts as the guide has them: a table of hashes. */
function subscribers(domain: string, accounts: Readonly<Record<string, string>>): string {
  const rows = Object.entries(accounts).map(([user, password]) => {
    const ha1 = createHash('md5').update(`${user}:${domain}:${password}`).digest('hex');
    return `${user}:${domain}:${ha1}\n`;
  });
  return `username(string) domain(string) ha1(string)\n${rows.join('')}`;
}
