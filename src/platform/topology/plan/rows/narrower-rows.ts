import { externalRows } from './external-rows.ts';
import { internalRows } from './internal-rows.ts';
import type { RowDefinition, Section } from './row-definition.ts';
import { fixed, outbound, xmpp } from './shared.ts';

type Change = Partial<Omit<RowDefinition, 'id' | 'sameAs' | 'port'>> & {
  readonly id: string;
  readonly section: Section;
};

/** A row that repeats or narrows one of the main tables. */
function repeats(original: string, change: Change): RowDefinition {
  const definition = [...externalRows, ...internalRows].find(({ id }) => id === original);
  if (definition === undefined) throw new TypeError(`there is no row ${original}`);
  return { ...definition, ...change, sameAs: original };
}

/** Federation, public providers and XMPP. */
export const narrowerRows: readonly RowDefinition[] = [
  repeats('ext-07', { id: 'fed-01', section: 'federation' }),
  repeats('ext-06', { id: 'pic-01', section: 'pic', feature: 'publicProviders', peers: 'public-provider' }),
  repeats('ext-07', { id: 'pic-02', section: 'pic', feature: 'publicProviders', peers: 'public-provider' }),
  repeats('ext-05', { id: 'pic-03', section: 'pic', peers: 'client' }),
  repeats('ext-09', {
    id: 'pic-04',
    section: 'pic',
    feature: 'publicProviderMedia',
    peers: 'public-provider',
    security: 'SRTP|none',
  }),
  repeats('ext-13', {
    id: 'pic-05',
    section: 'pic',
    feature: 'publicProviderMedia',
    peers: 'public-provider',
  }),
  repeats('ext-14', {
    id: 'pic-06',
    section: 'pic',
    feature: 'publicProviderMedia',
    peers: 'public-provider',
  }),
  repeats('ext-01', { id: 'xmpp-01', section: 'xmpp' }),
  {
    ...xmpp,
    ...outbound,
    id: 'xmpp-02',
    section: 'xmpp',
    interface: 'external',
    security: 'none|STARTTLS',
    edge: 'access',
    peers: 'any',
    port: fixed(5269),
    reach: 'virtual',
  },
  repeats('int-01', { id: 'xmpp-03', section: 'xmpp' }),
];
