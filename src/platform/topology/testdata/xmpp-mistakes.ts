import type { RuleCase } from './reading-mistakes.ts';

const PORTS = '  ports: {';

function xmpp(...partners: string[]): [string, string] {
  return [PORTS, `  xmpp: { partners: [${partners.join(', ')}] }\n${PORTS}`];
}

/** One mistake each in what is said about XMPP federation. */
export const xmppMistakes: readonly RuleCase[] = [
  {
    rule: 'xmpp-domain-twice',
    title: 'an additional domain that is a partner of its own',
    edit: xmpp('{ domain: p.example }', '{ domain: q.example, additionalDomains: [r.example, P.example] }'),
    at: 'P.example',
    says: /p.example already stands at policy.xmpp.partners.0.domain: write each domain at one partner only/,
  },
  {
    rule: 'xmpp-own-domain',
    title: 'our own domain as an XMPP partner',
    edit: xmpp('{ domain: Example.com }'),
    at: 'Example.com',
    says: /example.com is one of policy.sipDomains/,
  },
  {
    rule: 'xmpp-negotiation',
    title: 'a partner that can prove nothing',
    edit: xmpp('{ domain: p.example, tls: not-supported }'),
    at: 'p.example',
    says: /nothing is left by which p.example could prove its domain: without TLS there is no SASL, and dialback is off/,
  },
  {
    rule: 'xmpp-negotiation',
    title: 'dialback that is never used',
    severity: 'warning',
    edit: xmpp('{ domain: p.example, dialback: true }'),
    at: 'p.example',
    says: /p.example: dialback is never used where TLS and SASL are both required: as it is written: sasl-external/,
  },
  {
    rule: 'xmpp-no-partners',
    title: 'XMPP federation with nobody',
    severity: 'warning',
    edit: [PORTS, `  features: { xmpp: true }\n${PORTS}`],
    at: 'true',
    says: /XMPP federation is on, and no partner is listed/,
  },
];
