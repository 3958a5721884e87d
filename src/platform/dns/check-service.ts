import { type Complaint, quote, type Severity } from '#platform/topology';
import type { ClosedService } from './dns-plan.ts';
import type { DnsQuestions, FoundService } from './look-up.ts';
import { recordData, type ServiceRecord } from './records.ts';
import { dnsServices } from './services.ts';
import { unanswered } from './unanswered.ts';

interface ServiceQuery {
  readonly name: string;
  readonly wanted: readonly ServiceRecord[];
  readonly domain: string;
}

type Say = (severity: Severity, rule: string, what: string, instead: string) => void;

/** The service records of one name. */
export async function checkService(query: ServiceQuery, questions: DnsQuestions): Promise<Complaint[]> {
  const { name, wanted } = query;
  const findings: Complaint[] = [];
  const say: Say = (severity, rule, what, instead) => findings.push({ severity, rule, what, instead });
  const answer = await questions.services(name);
  if (answer.state === 'failed') return [unanswered(name, 'SRV', answer.code)];
  const found = answer.state === 'found' ? answer.values : [];
  const add = wanted.map((record) => `${name}. IN SRV ${recordData(record)}`).join(' and ');
  if (found.length === 0) say('error', 'record-missing', `${quote(name)} has no SRV record`, `add ${add}`);
  const right = found.some((one) => wanted.some((record) => isSame(record, one)));
  for (const one of found) {
    if (wanted.some((record) => isSame(record, one))) continue;
    sayWrong(query, one, { right, add }, say);
    findings.push(...(await aliasOf(one.target, wanted, questions)));
  }
  return findings;
}

function sayWrong(
  { name, wanted, domain }: ServiceQuery,
  { target, port }: FoundService,
  { right, add }: { readonly right: boolean; readonly add: string },
  say: Say,
): void {
  const instead = right ? `remove the record with ${quote(target)} ${port}` : `write ${add}`;
  const ports = wanted.filter((record) => record.target === target).map((record) => record.port);
  if (target === '') {
    say('error', 'not-offered', `${quote(name)} says that there is no such service (target ".")`, instead);
  } else if (ports.length > 0) {
    const what = `${quote(name)} leads to port ${port} of ${target}, which listens on ${ports.join(', ')}`;
    say('error', 'wrong-port', what, instead);
  } else if (isStrict(name) && !isWithin(target, domain)) {
    const what = `${quote(name)} leads to ${quote(target)} outside of ${domain}: clients and partners refuse it`;
    say('error', 'target-outside', what, instead);
  } else if (right) {
    const what = `${quote(name)} also leads to ${quote(target)} port ${port}, which the document does not know`;
    say('warning', 'other-target', what, `${instead}, unless it is another site of yours`);
  } else {
    const what = `${quote(name)} leads to ${quote(target)} port ${port}, not to this edge`;
    say('error', 'wrong-target', what, instead);
  }
}

/** The targets of the document are looked at with their addresses; this is for the others. */
async function aliasOf(
  target: string,
  wanted: readonly ServiceRecord[],
  questions: DnsQuestions,
): Promise<Complaint[]> {
  if (target === '' || wanted.some((record) => record.target === target)) return [];
  const alias = await questions.alias(target);
  if (alias.state !== 'found') return [];
  const what = `${quote(target)} is an alias of ${alias.values.map(quote).join(', ')}, and service records lead to it`;
  return [
    {
      severity: 'error',
      rule: 'srv-alias',
      what,
      instead: 'replace the CNAME with the addresses themselves',
    },
  ];
}

/** A record that leads to a closed port makes whoever follows it wait. One that leads elsewhere is not about this edge. */
export async function checkClosed(
  { name, setting }: ClosedService,
  ours: ReadonlySet<string>,
  questions: DnsQuestions,
): Promise<Complaint[]> {
  const answer = await questions.services(name);
  if (answer.state === 'failed') return [unanswered(name, 'SRV', answer.code, 'warning')];
  if (answer.state === 'absent') return [];
  const target = answer.values.find((one) => ours.has(one.target))?.target;
  if (target === undefined) return [];
  const what = `${quote(name)} leads to ${target}, where nothing is open for it: ${setting} is off`;
  return [
    {
      severity: 'warning',
      rule: 'service-off',
      what,
      instead: `remove the record, or write ${setting}: true`,
    },
  ];
}

function isSame(record: ServiceRecord, { target, port }: FoundService): boolean {
  return record.target === target && record.port === port;
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

function isStrict(name: string): boolean {
  return dnsServices.some(({ label, strict }) => strict && name.startsWith(`${label}.`));
}
