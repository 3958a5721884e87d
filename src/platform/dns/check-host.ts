import { type Complaint, quote, type Severity } from '#platform/topology';
import type { AddressKnowledge } from './address-knowledge.ts';
import type { Answer, DnsQuestions } from './look-up.ts';
import type { HostRecord } from './records.ts';
import { unanswered } from './unanswered.ts';

interface HostQuery {
  readonly name: string;
  readonly wanted: readonly HostRecord[];
  readonly known: AddressKnowledge;
  /** Whether a service record leads to it. */
  readonly isTarget: boolean;
}

type Say = (severity: Severity, rule: string, what: string, instead: string) => void;

/** The addresses of one name. */
export async function checkHost(query: HostQuery, questions: DnsQuestions): Promise<Complaint[]> {
  const { name, isTarget } = query;
  const findings: Complaint[] = [];
  const say: Say = (severity, rule, what, instead) => findings.push({ severity, rule, what, instead });
  const [a, aaaa, alias] = await Promise.all([
    questions.addresses(name, 'A'),
    questions.addresses(name, 'AAAA'),
    isTarget ? questions.alias(name) : undefined,
  ]);
  if (alias?.state === 'found') sayAlias(name, alias.values, say);
  if (alias?.state === 'failed') findings.push(unanswered(name, 'CNAME', alias.code));
  if (a.state === 'failed') findings.push(unanswered(name, 'A', a.code));
  if (aaaa.state === 'failed') findings.push(unanswered(name, 'AAAA', aaaa.code));
  compare(query, 'A', a, aaaa.state === 'found', say);
  compare(query, 'AAAA', aaaa, a.state === 'found', say);
  return findings;
}

/** RFC 2782, "Target": there must be address records for the name, which must not be an alias. */
function sayAlias(name: string, values: readonly string[], say: Say): void {
  const what = `${quote(name)} is an alias of ${values.map(quote).join(', ')}, and service records lead to it`;
  say('error', 'srv-alias', what, 'replace the CNAME with the addresses themselves');
}

function compare(
  { name, wanted, known }: HostQuery,
  type: HostRecord['type'],
  answer: Answer<string>,
  otherFamilyFound: boolean,
  say: Say,
): void {
  if (answer.state === 'failed') return;
  const expected = wanted.filter((record) => record.type === type).map(({ address }) => address);
  const found = answer.state === 'found' ? answer.values : [];
  const missing = expected.filter((address) => !found.includes(address));
  if (missing.length > 0) sayMissing(name, type, missing, { found, otherFamilyFound }, say);
  for (const address of found) {
    if (expected.includes(address)) sayExpected(name, type, address, known, say);
    else sayForeign(name, type, address, known, say);
  }
}

function sayMissing(
  name: string,
  type: HostRecord['type'],
  missing: readonly string[],
  { found, otherFamilyFound }: { readonly found: readonly string[]; readonly otherFamilyFound: boolean },
  say: Say,
): void {
  const lines = missing.map((address) => `${name}. IN ${type} ${address}`).join(' and ');
  const other = type === 'A' ? 'AAAA' : 'A';
  if (found.length > 0) {
    say('error', 'address-missing', `${quote(name)} does not lead to ${missing.join(', ')}`, `add ${lines}`);
  } else if (otherFamilyFound) {
    const what = `${quote(name)} has ${other} and no ${type}, and the document has ${missing.join(', ')}`;
    say('error', 'family-missing', what, `add ${lines}`);
  } else say('error', 'record-missing', `${quote(name)} has no ${type} record`, `add ${lines}`);
}

/** The document and the zone agree, and still nobody outside gets there. */
function sayExpected(
  name: string,
  type: HostRecord['type'],
  address: string,
  known: AddressKnowledge,
  say: Say,
): void {
  const why = known.unreachable(address);
  if (why === undefined) return;
  const what = `${quote(name)} ${type} ${address} is of no use outside: ${why}`;
  say(
    'warning',
    'private-address',
    what,
    'write what the firewall translates it to in host.addresses.public',
  );
}

function sayForeign(
  name: string,
  type: HostRecord['type'],
  address: string,
  known: AddressKnowledge,
  say: Say,
): void {
  const why = known.unreachable(address);
  const owner = known.owner(address);
  const remove = `remove ${name}. IN ${type} ${address}`;
  if (why !== undefined) {
    const whose = owner === undefined ? '' : ` (${owner})`;
    say(
      'error',
      'internal-address',
      `${quote(name)} leads the outside to ${address}${whose}: ${why}`,
      `${remove}, or ask a resolver that answers as the outside sees it`,
    );
    return;
  }
  const whose = owner === undefined ? 'which the document does not know' : owner;
  say('error', 'foreign-address', `${quote(name)} also leads to ${address}, ${whose}`, remove);
}
