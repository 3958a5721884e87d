import { rowsEn } from './rows-en.ts';
import type { Texts } from './texts.ts';

export const en: Texts = {
  sections: {
    external: 'External interface',
    internal: 'Internal interface',
    federation: 'Federation',
    pic: 'Public instant messaging',
    xmpp: 'XMPP',
    more: 'Beyond the port summary',
  },
  columns: {
    id: 'Row',
    role: 'Role',
    protocol: 'Protocol',
    port: 'Port',
    source: 'Source',
    destination: 'Destination',
    direction: 'Direction',
    why: 'Why',
  },
  addressColumns: {
    node: 'Edge',
    access: 'Access',
    webConferencing: 'Web conferencing',
    av: 'A/V',
    internal: 'Internal',
  },
  roles: {
    access: 'Access',
    'web-conferencing': 'Web conferencing',
    av: 'A/V',
    'av-authentication': 'A/V Authentication',
    'xmpp-proxy': 'XMPP proxy',
    replica: 'Replica of the central management store',
    'logging-agent': 'Centralized logging',
    'log-controller': 'log controller',
    management: 'management store',
    'xmpp-gateway': 'XMPP gateway',
    'web-conferencing-service': 'Web conferencing service',
    'front-end': 'Front end',
    supervisor: 'Supervisor',
    host: 'Host',
    'reverse-proxy': 'Reverse proxy',
  },
  securities: {
    none: 'unencrypted',
    'message-integrity': 'message integrity',
    'none|STARTTLS': 'STARTTLS if both can',
    'SRTP|none': 'SRTP if both can',
  },
  directions: { inbound: 'in', outbound: 'out' },
  interfaces: { external: 'external', internal: 'internal', loopback: 'loopback' },
  edge: {
    access: { shown: 'Access Edge service', translated: 'Access Edge service' },
    webConferencing: { shown: 'Web Conferencing Edge service', translated: 'Web Conferencing Edge service' },
    av: { shown: 'A/V Edge service', translated: 'A/V Edge service' },
    internal: { shown: 'Edge internal interface', translated: 'Edge internal interface' },
    loopback: { shown: 'Loopback of this host', translated: 'Loopback of this host' },
    proxy: { shown: 'Reverse proxy', translated: 'Reverse proxy' },
    proxyInside: { shown: 'Reverse proxy, inner side', translated: 'Reverse proxy, inner side' },
  },
  peers: {
    any: 'any',
    'public-provider': 'Public IM provider',
    client: 'Clients',
    resolvers: 'DNS servers',
    'time-servers': 'Time servers',
    'next-hop': 'Next hop (Director or Front End)',
    pool: 'A/V Edge service of the other edges',
    administrators: 'Administrators',
    'web-services': 'Web services of the Front End',
    'office-web-apps': 'Office Web Apps server',
    'this-host': 'This host',
    'internal:access': 'Director or Front End',
    'internal:webConferencing': 'Each Front End with web conferencing',
    'internal:avAuthentication': 'Front End and branch appliances',
    'internal:media': 'Internal networks',
    'internal:xmpp': 'Front End with the XMPP gateway',
    'internal:replication': 'Front End with the central management store',
    'internal:logging': 'Hosts of the log controller',
  },
  scenarios: {
    S1: 'a single edge with public addresses',
    S2: 'a single edge with private addresses behind NAT',
    S3: 'a pool of edges with public addresses, balanced by DNS',
    S4: 'a pool of edges with private addresses behind NAT, balanced by DNS',
    S5: 'a pool of edges with public addresses behind a hardware load balancer',
  },
  states: { on: 'on', off: 'off' },
  reach: {
    'node-inbound': 'Goes to each node itself, never through the virtual address.',
    'node-outbound': 'Leaves from the address of each node itself, never from the virtual one.',
    'virtual-inbound': 'Goes to the virtual address.',
    'virtual-outbound': 'Leaves from the virtual address.',
    'both-inbound': 'Goes to the virtual address and to each node.',
  },
  profiles: {
    'edge-tunnel': 'media goes from relay to relay on 3478 and 443 and needs no port of the range',
    ice: 'media leaves from the range, and only answers come back',
    'legacy-ocs2007': 'partners of the 2007 generation need the range in both directions',
  },
  heading: {
    title: 'Port summary: {site}',
    scenario: '{id}: {title}. {families}.',
    nodes: '{count}: {names}.',
    oneNode: 'One edge',
    manyNodes: '{number} edges',
    singleAddress:
      'Single address mode: clients on {clients}, partners on {partners}, web conferencing on {conferencing}, ' +
      'A/V on {av}.',
    media: 'Media with partners ({profiles}): {verdict}',
    noMedia: 'No audio and video with partners.',
    rangeClosed: 'the range {range} stays closed.',
    rangeOut: 'the range {range} is open outbound, for what the edge begins.',
    rangeBoth: 'the range {range} is open in both directions.',
    rows: '{on} rows are open in the plan.',
    allRows: '{off} more are off and shown with what would open them.',
    noRows: 'No row: nothing in the document asks for one.',
    notes: 'Notes',
    virtual: 'load balancer',
  },
  why: {
    always: 'Every edge needs it.',
    asked: 'Asked for by {settings}.',
    profiles: 'Media profiles of partners: {profiles}.',
    same: 'Same flow as {row}.',
    off: 'To open it, {change}.',
    set: 'set {setting} to {value}',
    add: 'add {value} to {setting}',
    name: 'fill in {setting}',
    and: ' and ',
    or: ', or ',
  },
  cells: {
    fromTo: '{from} to {to}',
    translated: '{address} (outside {public})',
    virtual: 'virtual {addresses}',
    nodes: 'nodes {addresses}',
    nobody: 'nobody named',
    everybody: 'any',
    list: '{term}: {addresses}',
  },
  explain: {
    directions: { inbound: 'inbound', outbound: 'outbound' },
    head: '{row}: {protocol}, {port}, {direction} on the {interface} interface; role: {role}.',
    closed: 'If it is closed, {closed}',
    open: 'Open, it exposes {open}',
    same: 'It is the flow of {row}, so one rule serves both.',
    on: 'In {file} it is on. {why}',
    off: 'In {file} it is off. {why}',
    flow: '{port} from {source} to {destination}.',
    count: '{count} rows have {port}: {rows}.',
    internalRow:
      'more-02: SIP (TLS), inbound at the front end of internal.yaml: clients inside sign in on the socket that the ' +
      'edge dials as well (int-03). It is no port of an edge and passes no firewall of the perimeter. If it is closed, ' +
      'nobody inside signs in. Open, it exposes the registrar to the internal network.',
    unknownRow: '{query} is no port row. Rows are {rows}.',
    unknownPort:
      '{query} is neither a row nor a port. Write a row such as ext-09, or a port such as 5061, 3478/udp or 50000-59999.',
    noSuchPort: 'No row has {query}, so nothing of the plan needs it open. Ports of the plan: {ports}.',
  },
  notes: {
    routed:
      'The external addresses are public and routed, not translated: the relay answers from the address that the ' +
      'client asked.',
    translated:
      'NAT on the external side only, the same mapping in both directions. Inbound, translate the destination and ' +
      'keep the source address of the client, which the A/V Edge service needs to choose a way for media; outbound, ' +
      'translate the private A/V address to its public one.',
    hairpin:
      'The edges of a pool behind NAT reach one another on their public A/V addresses too: the external firewall has ' +
      'to turn such packets round.',
    balancer:
      'The load balancer may translate sources for Access and Web Conferencing, never for A/V. Answers leave from the ' +
      'address that the client asked, virtual or node. NAT and direct server return are not possible; both sides use ' +
      'the same kind of balancing.',
    'balancer-node-only':
      'TCP {ports} go to each node and must never be balanced: whoever dials them means one particular edge.',
    'balancer-443-out':
      'The original also lists TCP 443 from the internal virtual address to any; no service of an edge dials that, ' +
      'so no row opens it.',
    'single-address':
      'Networks that let out nothing but 443 reach the A/V Edge service, but neither sign-in nor web conferencing: ' +
      'three addresses serve more users than one.',
    'both-families':
      'The tables of the original show IPv4; every row holds for IPv6 in the same way, and each address belongs to ' +
      'rules of its own family.',
    'source-corrected':
      'The original names the Access Edge address as the source. It has to be the address of the A/V Edge service, as ' +
      'pic-04 and all other scenarios have it.',
    'range-is-source':
      'The range is the source port. A firewall that looks at destinations only needs TCP 443 and UDP 3478, and the ' +
      'high ports of the peers.',
    'udp-range':
      'The original asks for UDP from the range for OCS 2007 partners only; ICE leaves from the range over UDP with ' +
      'every partner that offers a direct address.',
    'range-inbound':
      'Only partners that still run OCS 2007 need the range inbound. Without such partners remove legacy-ocs2007 from ' +
      'policy.federation.mediaProfiles.',
    'stun-outbound': 'The French original has lost the word "outbound" here; source and destination show it.',
    'xmpp-role': 'The original leaves the role empty in this row; it is the XMPP proxy.',
    'xmpp-outbound':
      'The original lists outbound XMPP in its XMPP table only. It stands in the plan as xmpp-02: rules made from the ' +
      'main tables alone would cut it.',
    'xmpp-gateway':
      'The original names Standard Edition servers twice; meant are all servers with the gateway. No row goes the ' +
      'other way: the proxy never dials 23456.',
    'xmpp-source':
      'The original says "any" here; the plan narrows the source to the hosts of the gateway, as in int-01.',
    'destination-wording':
      'The French original ends this destination in English words; it is the address of the Access Edge service.',
    'internal-wording':
      'The original words this destination differently from the other internal rows; it is the same internal ' +
      'interface.',
    'each-server':
      'The source is each server itself, never a virtual address of the Front End pool: every one of them has to reach ' +
      'every edge.',
    'two-facts':
      'The original puts two facts into one remark: TCP 443 is the fallback of UDP 3478, and it is the only transport ' +
      'of file transfer and desktop sharing. UDP that works is no reason to close it.',
    'logging-ports':
      'The three ports share one remark in the original, and no document says how they differ; open all three or none.',
    'federation-half': 'The original lists the outbound half only; the inbound half is ext-06.',
    'sign-in-not-public':
      'Although it stands in this table, the row is the sign-in of our own users and is open whenever ext-05 is.',
    'public-source':
      'A page of the original on public providers names the Access Edge address for these rows; only the address of ' +
      'the A/V Edge service works.',
    'public-history':
      'The large public providers left: Messenger in March 2013 (but for mainland China), AOL and Yahoo in June 2014. ' +
      'Open these rows only for a provider that still federates.',
    'not-on-the-page': 'The original does not list this flow; an edge needs it all the same, or may.',
    'two-4443':
      'TCP 4443 stands for two things: the replica agent of the edge (int-08) and the web services behind the reverse ' +
      'proxy (more-09). They never meet.',
  },
  rows: rowsEn,
};
