import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type LabPlan, labFiles } from './lab-plan.ts';

/** How a meeting is joined in a browser on this machine, which knows neither the lab's names nor its authority: lines for people. */
export function browserInvitation(plan: LabPlan, link: string): string[] {
  const { access, webConferencing, names } = plan;
  const hosts = [
    [names.access, access.address],
    [names.webConferencing, webConferencing.address],
  ] as const;
  const rules = hosts.map(([name, address]) => `MAP ${name} ${address}`).join(',');
  const { access: pair, browserFolder } = labFiles(plan);
  return [
    '\nJoin the web conference in a browser on this machine, as a guest or with one of the accounts above:',
    `  meeting       ${link}`,
    '  The names of the lab are in no DNS and its CA is known to nobody. Write into /etc/hosts',
    ...hosts.map(([name, address]) => `                ${address} ${name}`),
    '  and let the browser trust the CA file above; or start Chromium so, which touches nothing else:',
    `  chromium --user-data-dir=${browserFolder} --host-resolver-rules="${rules}" \\`,
    `    --ignore-certificate-errors-spki-list=${keyDigest(pair.certificate)} "${link}"`,
  ];
}

/** SHA-256 of the public key of a certificate, as Chromium names keys: the only one that it then takes unverified. */
function keyDigest(certificate: string): string {
  const { publicKey } = new X509Certificate(readFileSync(certificate));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
