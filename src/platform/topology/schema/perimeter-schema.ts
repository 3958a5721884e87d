import { edgeAddresses } from './address-schema.ts';
import { ADDRESSES } from './host-schema.ts';
import * as setting from './setting.ts';

const NETWORKS = 'a list of networks in CIDR form';

function feature(initial: boolean, sentence: string, rows: readonly string[]) {
  return setting.toggle(initial, { sentence, reload: 'live', rows });
}

/** Which rows of the port summary are open. */
export const features = setting.optionalSection(
  'What the edge does for the outside. What is off opens no port.',
  {
    remoteUsers: feature(true, 'Users of the organisation sign in from outside.', ['ext-05', 'pic-03']),
    media: feature(true, 'Audio, video and sharing through the relay.', [
      'ext-14',
      'ext-15',
      'ext-16',
      'int-05',
      'int-06',
      'int-07',
    ]),
    federation: feature(false, 'SIP federation with partner organisations.', ['ext-06', 'ext-07', 'fed-01']),
    publicProviders: feature(false, 'SIP with public instant messaging providers.', ['pic-01', 'pic-02']),
    publicProviderMedia: feature(false, 'Audio and video with users of public providers.', [
      'pic-04',
      'pic-05',
      'pic-06',
    ]),
    webConferencing: feature(false, 'Web conferencing for participants outside.', ['ext-08', 'int-04']),
    xmpp: feature(false, 'XMPP federation.', ['ext-01', 'int-01', 'xmpp-01', 'xmpp-02', 'xmpp-03']),
    replication: feature(false, 'A replica of the central configuration.', ['int-08']),
    logging: feature(false, 'Centralized logging.', ['int-09', 'int-10', 'int-11']),
  },
);

export const pool = setting.optionalSection('Edges that do the same work side by side.', {
  balancing: setting.choice(['none', 'dns', 'hardware'], 'none', {
    sentence:
      'How the outside finds a member: none for a single edge, dns by several records, hardware by one.',
    reload: 'live',
  }),
  flowKeyFile: setting.optionalText('the path of a file', setting.filePath, {
    sentence:
      'File with the secret of flow tokens and hidden targets, the same on every edge of a pool, so that one edge knows ' +
      'what another one wrote; each edge makes one of its own when left out.',
    reload: 'live',
    example: 'secrets/flow.secret',
    path: true,
    file: 'shared-secret',
  }),
  previousFlowKeyFiles: setting.textsOrNone('a list of paths of files', setting.filePath, {
    sentence:
      'Other such secrets, whose tokens count too: those before, and the next one before its turn, so that no dialog ends with its key.',
    reload: 'live',
    example: ['secrets/previous-flow.secret'],
    path: true,
    file: 'shared-secret',
    mostItems: 8,
  }),
  members: setting.sectionsOrNone('Every edge of the pool, this one too.', {
    name: setting.text('a fully qualified domain name', setting.domainName, {
      sentence: "The member's host.name.",
      reload: 'live',
      example: 'edge1.example.com',
    }),
    addresses: edgeAddresses("The member's addresses, as in its own host part."),
  }),
  virtualAddresses: setting.optionalSection('The addresses of the hardware load balancer.', {
    access: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Virtual addresses of the Access Edge service.',
      reload: 'live',
      example: ['192.0.2.110'],
    }),
    webConferencing: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Virtual addresses of the Web Conferencing Edge service.',
      reload: 'live',
      example: ['192.0.2.120'],
    }),
    av: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Virtual addresses of the A/V Edge service.',
      reload: 'live',
      example: ['192.0.2.130'],
    }),
    internal: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Virtual addresses towards the internal network.',
      reload: 'live',
      example: ['10.45.16.110'],
    }),
  }),
});

function peers(defaultFrom: string, sentence: string, rows: readonly string[]) {
  return setting.derivedTexts(defaultFrom, NETWORKS, setting.network, {
    sentence,
    reload: 'live',
    example: ['10.45.32.0/24'],
    rows,
  });
}

const NEXT_HOP = 'the addresses of policy.nextHop.members';
const EVERYBODY = 'policy.internalNetworks';

export const internalPeers = setting.optionalSection(
  'Who on the internal network may reach which port of the edge, for the firewall rules.',
  {
    access: peers(NEXT_HOP, 'Servers that send SIP to the Access Edge service.', ['int-02']),
    webConferencing: peers(NEXT_HOP, 'Every web conferencing server, each one itself.', ['int-04']),
    avAuthentication: peers(NEXT_HOP, 'Servers that ask for relay credentials, branch servers too.', [
      'int-05',
    ]),
    media: peers(EVERYBODY, 'Clients and servers that send media through the relay.', ['int-06', 'int-07']),
    xmpp: peers(NEXT_HOP, 'Servers that run the XMPP gateway.', ['int-01', 'xmpp-03']),
    replication: peers(NEXT_HOP, 'Servers of the management store.', ['int-08']),
    logging: peers(EVERYBODY, 'Hosts that run the log controller.', ['int-09', 'int-10', 'int-11']),
  },
);

/** Not an edge, but its rules stand in the same firewalls. */
export const reverseProxy = setting.optionalSection(
  'The reverse proxy beside the edge, a machine of its own; its rows stand in the same plan.',
  {
    addresses: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'External addresses of the reverse proxy; none when there is no reverse proxy.',
      reload: 'live',
      example: ['192.0.2.40'],
      rows: ['more-07', 'more-08'],
    }),
    internalAddresses: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Its addresses towards the internal network.',
      reload: 'live',
      example: ['10.45.16.40'],
      rows: ['more-09', 'more-10', 'more-11'],
    }),
    http: setting.toggle(false, {
      sentence: 'Whether it takes unencrypted HTTP too, to send browsers on to HTTPS.',
      reload: 'live',
      rows: ['more-08', 'more-10'],
    }),
    webServices: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Internal servers whose web services it publishes.',
      reload: 'live',
      example: ['10.45.32.11'],
      rows: ['more-09', 'more-10'],
    }),
    officeWebApps: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
      sentence: 'Internal servers that show documents in meetings.',
      reload: 'live',
      example: ['10.45.32.31'],
      rows: ['more-11'],
    }),
  },
);
