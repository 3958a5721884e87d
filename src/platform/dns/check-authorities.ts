import { type Complaint, quote } from '#platform/topology';
import type { DnsQuestions, FoundAuthority } from './look-up.ts';
import { unanswered } from './unanswered.ts';

/**
 * Says which authorities may issue for a name: by its own CAA record set or that of the nearest name above that has one
 * (RFC 8659 §3). Top-level domains are not asked.
 * @param domain where the advice to make one belongs
 */
export async function checkAuthorities(
  name: string,
  domain: string,
  questions: DnsQuestions,
): Promise<Complaint[]> {
  let zone = name;
  for (; zone.includes('.'); zone = zone.slice(zone.indexOf('.') + 1)) {
    const answer = await questions.authorities(zone);
    // Authorities do not issue while they cannot tell, so an operator wants to know.
    if (answer.state === 'failed') return [unanswered(zone, 'CAA', answer.code, 'warning')];
    if (answer.state === 'found') return [told(zone, answer.values)];
  }
  const what = `${domain} has no CAA record: every authority may issue certificates for it`;
  const instead = `to limit that, add ${domain}. IN CAA 0 issue "<the domain of your authority>"`;
  return [{ severity: 'instruction', rule: 'caa', what, instead }];
}

function told(zone: string, values: readonly FoundAuthority[]): Complaint {
  const issuers = values.filter(({ tag }) => tag === 'issue').map(({ value }) => value.trim());
  const domains = issuers
    .map((issuer) => (issuer.split(';')[0] ?? '').trim())
    .filter((domain) => domain !== '');
  if (issuers.length > 0 && domains.length === 0) {
    const what = `${quote(zone)}: its CAA records let no authority issue certificates`;
    return { severity: 'warning', rule: 'caa', what, instead: 'name the authority that is to issue them' };
  }
  if (issuers.length === 0) {
    const what = `${quote(zone)}: its CAA records limit no authority (${values.map(({ tag }) => tag).join(', ')})`;
    return { severity: 'instruction', rule: 'caa', what, instead: 'add an issue record to limit that' };
  }
  const what = `${quote(zone)}: its CAA records let only ${domains.map(quote).join(', ')} issue certificates`;
  return {
    severity: 'instruction',
    rule: 'caa',
    what,
    instead: 'see that the external certificate comes from there',
  };
}
