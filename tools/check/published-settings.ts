import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { settings } from '#platform/topology';
import { initialText } from '../generate/settings.ts';

/*
 * The page about the published settings of an Access Edge is true: each of them is in it once, with a setting of ours whose
 * default is the one that the page says, or with a reason; and it leaves out no right of users and no switch of federation.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const PAGE = 'docs/guides/access-edge-settings.md';

/** Of the access edge's configuration, of domains and providers, and of external access policies. */
const PUBLISHED = [
  ...['AllowOutsideUsers', 'AllowAnonymousUsers', 'AllowFederatedUsers', 'EnablePartnerDiscovery'],
  ...['RoutingMethod', 'DefaultRouteFqdn', 'IsPublicProvider', 'VerificationLevel of the default route'],
  ...['BeClearingHouse', 'EnableArchivingDisclaimer', 'KeepCrlsUpToDateForPeers'],
  ...['MarkSourceVerifiableOnOutgoingMessages', 'OutgoingTlsCountForFederatedPartners'],
  ...['DiscoveredPartnerStandardRate', 'EnableDiscoveredPartnerContactsLimit'],
  ...['MaxContactsPerDiscoveredPartner', 'DiscoveredPartnerReportPeriodMinutes'],
  ...['DiscoveredPartnerVerificationLevel', 'MaxAcceptedCertificatesStored', 'MaxRejectedCertificatesStored'],
  ...['CertificatesDeletedPercentage', 'EnableUserReplicator', 'DnsSrvCacheRecordCount', 'SkypeSearchUrl'],
  ...['Allowed domain: Domain', 'Allowed domain: ProxyFqdn', 'Allowed domain: VerificationLevel'],
  ...['Blocked domain: Domain', 'Comment', 'MarkForMonitoring', 'Provider: Identity', 'Provider: ProxyFqdn'],
  ...['Provider: Enabled', 'Provider: VerificationLevel', 'IconUrl', 'Provider: NameDecorationDomain'],
  ...['Preloaded providers', 'EnabledSharedAddressSpace', 'HostsOCSUsers', 'IsLocal', 'AutodiscoverUrl'],
  ...['SipClientPort', 'EnableFederationAccess', 'EnableXmppAccess', 'EnableOutsideAccess'],
  ...['EnablePublicCloudAccess', 'EnablePublicCloudAudioVideoAccess', 'Description'],
];
/** Settings that the page has to name. */
const WANTED = [
  /^policy\.externalAccess\.(?:users\[\]\.)?(?!user)\w+$/,
  /^frontEnd\.externalAccess\.global\./,
  /^policy\.(?:federation\.enabled|federation\.defaultRoute\.\w+|remoteAccess\.allowed)$/,
];

const known = new Map([...settings('edge'), ...settings('internal')].map((one) => [one.name, one]));
const problems: string[] = [];
const published = new Set<string>();
const named = new Set<string>();

function checkRow(cells: readonly string[]): void {
  const [first = ''] = cells;
  const setting = cells.findIndex((cell) => /^`(?:policy|frontEnd)\.[^`]*`$/.test(cell));
  // Of the table of gates, which has several settings in a cell.
  if (/^\d\./.test(first)) return checkNames(cells.join(' '));
  if (!first.startsWith('`')) {
    if (!PUBLISHED.includes(first)) problems.push(`${first} is not among the published settings`);
    if (published.has(first)) problems.push(`${first} stands twice`);
    published.add(first);
  }
  if (setting < 0) {
    if (cells.length !== 2 || cells[1] === '') problems.push(`${first} has neither a setting nor a reason`);
    return;
  }
  const name = (cells[setting] ?? '').slice(1, -1);
  const found = known.get(name);
  if (found === undefined) problems.push(`there is no setting ${name}`);
  else if (initialText(found) !== cells[setting + 1])
    problems.push(`${name} is ${initialText(found)} by default, not ${cells[setting + 1]}`);
  named.add(name);
}
function checkNames(text: string): void {
  for (const [, name = ''] of text.matchAll(/`((?:policy|frontEnd)\.[\w.]+)`/g))
    if (!known.has(name)) problems.push(`there is no setting ${name}`);
}

for (const line of readFileSync(join(root, PAGE), 'utf8').split('\n')) {
  if (!line.startsWith('| ') || /^\| (?:---|Published|Gate|In the edge)/.test(line)) continue;
  const cells = line.split('|').slice(1, -1);
  checkRow(cells.map((cell) => cell.trim()));
}
for (const name of PUBLISHED) if (!published.has(name)) problems.push(`${name} is missing`);
for (const name of known.keys())
  if (WANTED.some((wanted) => wanted.test(name)) && !named.has(name)) problems.push(`${name} is missing`);
for (const problem of problems) console.log(`${PAGE}: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
