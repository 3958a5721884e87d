import * as setting from './setting.ts';

const NAME = 'a fully qualified domain name';

/** The management store of internal.yaml. */
export const management = setting.optionalSection('The management store, which configures the edges.', {
  database: setting.derivedText(
    'management.sqlite in stateDirectory',
    'the path of a file',
    setting.filePath,
    {
      sentence:
        'SQLite file with policies, keys and what was published; it is created when it does not exist.',
      reload: 'restart',
      example: '/var/lib/sallyport/internal/management.sqlite',
      path: true,
    },
  ),
  edges: setting.sectionsOrNone('The edges that this store configures; with none, it does nothing.', {
    name: setting.text(NAME, setting.domainName, {
      sentence: "The edge's host.name, which its certificate must hold.",
      reload: 'live',
      example: 'edge1.example.com',
    }),
    address: setting.optionalText('an IPv4 or IPv6 address', setting.hostAddress, {
      sentence: "The edge's internal address; its name is looked up in the DNS when left out.",
      reload: 'live',
      example: '10.45.16.10',
    }),
    port: setting.port(4443, { sentence: 'Internal TCP port of its replica agent.', rows: ['int-08'] }),
    site: setting.textOr('Head office', 'a name', setting.label, {
      sentence: 'The site whose scope counts for it.',
      reload: 'live',
      example: 'Head office',
    }),
  }),
  resolvers: setting.textsOrNone('a list of IPv4 and IPv6 addresses', setting.hostAddress, {
    sentence: 'Internal DNS servers to ask for edges without an address; those of the host when left out.',
    reload: 'live',
    example: ['10.45.16.53'],
    mostItems: 8,
  }),
  pollSeconds: setting.integer({
    sentence: 'Time between two questions to an edge that is up to date, about.',
    reload: 'live',
    unit: 'seconds',
    default: 30,
    floor: 1,
    ceiling: 3600,
  }),
});
