import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { insidePage, type LabPlan, labFiles } from './lab-plan.ts';

/** How a meeting is joined in a browser on this machine, which knows neither the lab's names nor its authority: lines for people. */
export function browserInvitation(plan: LabPlan, link: string): string[] {
  const { access, webConferencing, frontEnd, names } = plan;
  const hosts = [
    [names.access, access.address],
    [names.webConferencing, webConferencing.address],
    [names.frontEnd, frontEnd.address],
  ] as const;
  const rules = hosts
    .map(([name, address]) => `MAP ${name} ${address.includes(':') ? `[${address}]` : address}`)
    .join(',');
  const { access: outside, frontEnd: inside, browserFolder } = labFiles(plan);
  const keys = [outside, inside].map(({ certificate }) => keyDigest(certificate)).join(',');
  return [
    '\nJoin the web conference in a browser on this machine, as a guest or with one of the accounts above:',
    `  meeting       ${link}`,
    `  from inside   ${insidePage(plan)}${new URL(link).hash}`,
    '  The names of the lab are in no DNS and its CA is known to nobody. Write into /etc/hosts',
    ...hosts.map(([name, address]) => `                ${address} ${name}`),
    '  and let the browser trust the CA file above; or start Chromium so, which touches nothing else:',
    `  chromium --user-data-dir=${browserFolder} --host-resolver-rules="${rules}" \\`,
    `    --ignore-certificate-errors-spki-list=${keys} "${link}"`,
  ];
}

/** SHA-256 of the public key of a certificate, as Chromium names keys: those that are listed it takes unverified. */
function keyDigest(certificate: string): string {
  const { publicKey } = new X509Certificate(readFileSync(certificate));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
