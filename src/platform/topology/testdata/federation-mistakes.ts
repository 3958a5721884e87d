import { policy, type RuleCase } from './reading-mistakes.ts';

/** One mistake each in who is a partner, and in what is open to partners. */
export const federationMistakes: readonly RuleCase[] = [
  {
    rule: 'federation-domain-twice',
    title: 'a domain that is allowed and blocked',
    edit: policy(
      '  federation: { allowed: [{ domain: p.example }], blocked: [{ domain: x.example }, { domain: P.example }] }',
    ),
    at: 'P.example',
    says: /p.example already stands at policy.federation.allowed.0.domain: write each domain on one list only/,
  },
  {
    rule: 'federation-own-domain',
    title: 'the own domain as a partner',
    edit: policy('  federation: { allowed: [{ domain: example.com }] }'),
    at: 'example.com',
    says: /example.com is one of policy.sipDomains/,
  },
  {
    rule: 'federation-routing',
    title: 'a default route that leads nowhere',
    edit: policy('  federation: { routing: default-route }'),
    at: 'default-route',
    says: /there is no default route: write policy.federation.defaultRoute.proxy/,
  },
  {
    rule: 'federation-routing',
    title: 'a default route and providers',
    edit: policy(
      '  federation: { routing: default-route, defaultRoute: { proxy: c.example } }\n' +
        '  publicProviders: [{ name: P, proxy: p.example }]',
    ),
    at: 'default-route',
    says: /a default route excludes providers: take the providers out/,
  },
  {
    rule: 'provider-proxy-twice',
    title: 'two providers with one server',
    edit: policy('  publicProviders: [{ name: P, proxy: p.example }, { name: Q, proxy: p.example }]'),
    at: 'p.example }]',
    says: /p.example is the server of another provider/,
  },
  {
    rule: 'feature-needs',
    title: 'ports for partners, and nothing is exchanged with them',
    severity: 'warning',
    edit: policy('  features: { federation: true, xmpp: true }\n  federation: { enabled: false }'),
    at: 'false',
    says: /their ports are open \(policy.features.federation, policy.features.xmpp\): write true, or turn those off/,
  },
  {
    rule: 'federation-routing',
    title: 'a default route to public providers, which are off',
    severity: 'warning',
    edit: policy(
      '  federation: { routing: default-route, defaultRoute: { proxy: c.example, publicProvider: true } }',
    ),
    at: 'true',
    says: /leads to public providers, and nothing is exchanged with those: write policy.features.publicProviders/,
  },
];
