import { type Complaint, type EdgeDocument, zoneOf } from '#platform/topology';
import { addressKnowledge } from './address-knowledge.ts';
import { checkAuthorities } from './check-authorities.ts';
import { checkHost } from './check-host.ts';
import { checkClosed, checkService } from './check-service.ts';
import { dnsPlan } from './dns-plan.ts';
import type { DnsQuestions } from './look-up.ts';
import type { HostRecord, ServiceRecord } from './records.ts';

/**
 * Compares what a resolver says with the outside records of the document. What the document asks for and what misleads
 * somebody are errors, what works and will not for everybody is a warning, what is the operator's to decide or was not
 * looked at is an instruction.
 */
export async function checkDns(document: EdgeDocument, questions: DnsQuestions): Promise<Complaint[]> {
  const plan = dnsPlan(document);
  const records = plan.outside.flatMap((zone) => zone.records);
  const hosts = grouped(records.filter((record): record is HostRecord => record.type !== 'SRV'));
  const services = grouped(records.filter((record): record is ServiceRecord => record.type === 'SRV'));
  const { sipDomains } = document.policy;
  const known = addressKnowledge(document);
  const targets = new Set([...services.values()].flat().map(({ target }) => target));
  const findings = await Promise.all([
    ...[...hosts].map(([name, wanted]) =>
      checkHost({ name, wanted, known, isTarget: targets.has(name) }, questions),
    ),
    ...[...services].map(([name, wanted]) =>
      checkService({ name, wanted, domain: zoneOf(name, sipDomains) }, questions),
    ),
    ...plan.closed.map((closed) => checkClosed(closed, new Set(hosts.keys()), questions)),
    ...[...new Set([...hosts.keys(), ...sipDomains])].map((name) =>
      checkAuthorities(name, zoneOf(name, sipDomains), questions),
    ),
  ]);
  const others = plan.instructions.filter(({ rule }) => rule !== 'caa');
  return withoutRepeats([...findings.flat(), ...others]);
}

/** The findings of several resolvers in one list; which one said it stands in front unless all agree. */
export function joinedFindings(
  byResolver: readonly { readonly resolver: string; readonly findings: readonly Complaint[] }[],
): Complaint[] {
  const whose = new Map<string, { finding: Complaint; resolvers: string[] }>();
  for (const { resolver, findings } of byResolver) {
    for (const finding of findings) {
      const key = JSON.stringify(finding);
      const entry = whose.get(key) ?? { finding, resolvers: [] };
      entry.resolvers.push(resolver);
      whose.set(key, entry);
    }
  }
  return [...whose.values()].map(({ finding, resolvers }) =>
    resolvers.length === byResolver.length
      ? finding
      : { ...finding, what: `${resolvers.join(', ')}: ${finding.what}` },
  );
}

function grouped<Kind extends { readonly name: string }>(records: readonly Kind[]): Map<string, Kind[]> {
  const groups = new Map<string, Kind[]>();
  for (const record of records) groups.set(record.name, [...(groups.get(record.name) ?? []), record]);
  return groups;
}

function withoutRepeats(findings: readonly Complaint[]): Complaint[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
