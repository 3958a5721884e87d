import { matchName, sipIdentities } from '#platform/pki';
import { quote } from '#platform/topology';
import type { NameUse, PlannedName } from './external-certificate-names.ts';
import type { Say, Subject } from './subject.ts';

/** Whether the certificate holds the names that it has to, and what else it holds. */
export function nameFindings(subject: Subject, say: Say): void {
  const { file, facts, planned } = subject;
  const { dns, ip, uri, xmpp, srv } = facts.names;
  if ([dns, ip, uri, xmpp, srv].every((names) => names.length === 0)) {
    const what = `${file} has no subjectAltName; a common name is looked at by nobody any more`;
    const wanted = planned.names.map(({ name }) => name).join(', ');
    say('error', 'no-names', what, `have it issued with the names ${wanted}`);
    return;
  }
  for (const name of planned.names) sayName(subject, name, say);
  const wanted = new Set(planned.names.map(({ name }) => name));
  const others = dns.filter((name) => !wanted.has(name));
  sayOthers(subject, others, say);
}

function sayName(
  { file, facts, planned }: Subject,
  { name, required, comparedAs, why }: PlannedName,
  say: Say,
) {
  const missing = comparedAs.filter((use) => !holds(facts.names, name, use));
  if (missing.length === 0) return;
  const reasons = why.map(({ text }) => text).join('; ');
  const covered = matchName(facts.names, [name], { wildcards: true }) !== undefined;
  const wildcard = `*${name.slice(name.indexOf('.'))}`;
  if (covered && missing.every((use) => use === 'host') && planned.issuer === 'public') {
    const what = `${file} covers ${name} by ${wildcard} only, which not every client and no partner takes`;
    say('warning', 'wildcard', what, `have it issued with ${name}: ${reasons}`);
    return;
  }
  const byUri = missing.includes('sip-domain') && facts.names.dns.includes(name);
  const cause = byUri
    ? `${file} holds ${name}, but its sip: names, which count before it, do not`
    : `${file} does not hold the name ${name}${covered ? ` (${wildcard} does not count for it)` : ''}`;
  say(required ? 'error' : 'warning', 'name-missing', cause, `have it issued with ${name}: ${reasons}`);
}

function holds(names: Subject['facts']['names'], name: string, use: NameUse): boolean {
  if (use === 'sip-domain') return sipIdentities(names).some(({ domain }) => domain === name);
  const held = matchName(names, [name]) !== undefined;
  return use === 'host'
    ? held
    : held || names.xmpp.includes(name) || names.srv.includes(`_xmpp-server.${name}`);
}

function sayOthers({ file, planned }: Subject, others: readonly string[], say: Say): void {
  const wildcards = others.filter((name) => name.startsWith('*.'));
  if (wildcards.length > 0) {
    const what = `${file} holds ${wildcards.map(quote).join(', ')}, which the edge does not need`;
    const risk =
      planned.issuer === 'public'
        ? 'who takes its key can pose as every host there'
        : 'internal peers ignore it';
    say('instruction', 'superfluous-wildcard', what, `leave wildcards out next time: ${risk}`);
  }
  const plain = others.filter((name) => !name.startsWith('*.'));
  if (plain.length === 0) return;
  const what = `${file} also holds ${plain.map(quote).join(', ')}, which this document does not ask for`;
  say('instruction', 'other-names', what, 'leave them unless something else uses the certificate');
}
