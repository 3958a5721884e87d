import { featureKeys } from '#platform/topology';
import {
  type Answers,
  kebab,
  listOf,
  NONE,
  nextHopMember,
  type QuestionName,
  translatedAddresses,
  wants,
} from './answers.ts';
import { type Known, mediaKeyExists } from './suggestions.ts';

/** One question. Its default comes from `suggestions.ts`; what the schema thinks of the answer, from the document. */
export interface Question {
  readonly name: QuestionName;
  /** What the flag takes: `<names>`. */
  readonly takes: string;
  readonly ask: string;
  readonly why: string;
  readonly example: string;
  /** It is passed over otherwise. */
  applies?(known: Pick<Known, 'answers' | 'file'>): boolean;
  /** What is wrong with the form of an answer, and what to write instead. */
  complain?(text: string, answers: Answers): string | undefined;
}

const FEATURES = featureKeys.map(kebab);

function yesOrNo(text: string): string | undefined {
  return text === 'yes' || text === 'no' ? undefined : 'write yes or no';
}

function oneOf(words: readonly string[]) {
  return (text: string): string | undefined => {
    const other = listOf(text).find((word) => !words.includes(word));
    return other === undefined ? undefined : `known are ${words.join(', ')}, and ${NONE}`;
  };
}

const people: readonly Question[] = [
  {
    name: 'sipDomains',
    takes: '<names>',
    ask: 'SIP domains',
    why: 'The addresses of your users end in these; the edge serves no others. The first one names the services.',
    example: 'example.com',
  },
  {
    name: 'site',
    takes: '<name>',
    ask: 'Name of the site',
    why: 'For people only, in reports.',
    example: 'Head office',
  },
  {
    name: 'features',
    takes: '<words>',
    ask: `What the edge does for the outside: ${FEATURES.join(', ')}`,
    why: 'What is off opens no port and needs no rule in a firewall.',
    example: 'remote-users, media, federation',
    complain: oneOf(FEATURES),
  },
  {
    name: 'mediaProfiles',
    takes: '<words>',
    ask: 'How media reaches partners: edge-tunnel, ice, legacy-ocs2007',
    why: 'It decides how wide the relay range is open: not at all, outbound only, or both ways.',
    example: 'ice',
    applies: ({ answers }) => wants(answers, 'federation') && wants(answers, 'media'),
    complain: oneOf(['edge-tunnel', 'ice', 'legacy-ocs2007']),
  },
];

const outside: readonly Question[] = [
  {
    name: 'accessAddresses',
    takes: '<addresses>',
    ask: 'External addresses of the Access Edge service, of this host',
    why: 'Nothing listens on other addresses; with IPv4 and IPv6 give one of each.',
    example: '192.0.2.10',
  },
  {
    name: 'webConferencingAddresses',
    takes: '<addresses>',
    ask: 'External addresses of web conferencing',
    why: 'Of its own, it has TCP 443; on the address of access it has 444, which not every guest can reach.',
    example: '192.0.2.20',
  },
  {
    name: 'avAddresses',
    takes: '<addresses>',
    ask: 'External addresses of the A/V Edge service',
    why: 'Media is relayed from here. On the address of access, clients sign in on 5061 instead of 443.',
    example: '192.0.2.30',
  },
  {
    name: 'publicAddresses',
    takes: '<addresses>',
    ask: 'Public addresses in place of the private ones',
    why:
      'The external firewall translates them; clients are told the public ones. In the order of the private ' +
      `addresses; ${NONE} when every client can reach the private ones.`,
    example: '203.0.113.10',
    applies: ({ answers }) => translatedAddresses(answers).length > 0,
    complain(text, answers) {
      const wanted = translatedAddresses(answers);
      const given = listOf(text);
      if (given.length === 0 || given.length === wanted.length) return undefined;
      return `write ${wanted.length}, one for each of ${wanted.join(', ')}, or ${NONE}`;
    },
  },
  {
    name: 'accessName',
    takes: '<name>',
    ask: 'External name of the Access Edge service',
    why: 'Clients find it in DNS and expect it in the certificate.',
    example: 'sip.example.com',
  },
  {
    name: 'webConferencingName',
    takes: '<name>',
    ask: 'External name of web conferencing',
    why: 'Set aside now, so that DNS and certificates need not change later.',
    example: 'webconf.example.com',
  },
  {
    name: 'avName',
    takes: '<name>',
    ask: 'External name of the A/V Edge service',
    why: 'Clients get it with their relay credentials and resolve it.',
    example: 'av.example.com',
  },
];

const inside: readonly Question[] = [
  {
    name: 'internalAddresses',
    takes: '<addresses>',
    ask: 'Addresses of the interface towards the internal network',
    why: 'The next hop and internal clients reach the edge here, and the edge dials the next hop from here.',
    example: '10.45.16.10',
  },
  {
    name: 'hostName',
    takes: '<name>',
    ask: "This host's own name on the internal network",
    why: 'The next hop knows the edge by it; the internal certificate must hold it.',
    example: 'edge1.example.com',
  },
  {
    name: 'internalNetworks',
    takes: '<networks>',
    ask: 'Networks behind the internal firewall',
    why: 'No media is ever relayed into them, and the next hop lies in one of them.',
    example: '10.45.0.0/16',
  },
  {
    name: 'nextHopName',
    takes: '<name>',
    ask: 'Name of the pool of SIP servers inside',
    why: 'The next hop is the only thing inside that the edge dials.',
    example: 'pool.example.com',
  },
  {
    name: 'nextHopMembers',
    takes: '<name=address[:port]>',
    ask: 'Its servers, each as name=address or name=address:port',
    why: "The edge asks no DNS inside; a name has to stand in its server's certificate. Port 5061 when left out.",
    example: 'fe1.example.com=10.45.32.11',
    complain(text) {
      const members = listOf(text);
      const good = members.length > 0 && members.every((member) => nextHopMember(member) !== undefined);
      return good ? undefined : 'write each as fe1.example.com=10.45.32.11 or =[fd00::11]:5061';
    },
  },
];

const upkeep: readonly Question[] = [
  {
    name: 'resolvers',
    takes: '<addresses>',
    ask: 'The only DNS servers that the edge may ask',
    why: `Never one inside. ${NONE} lets the firewall pass DNS to every one outside.`,
    example: '192.0.2.53',
  },
  {
    name: 'timeServers',
    takes: '<addresses>',
    ask: "Time servers outside that this host's clock follows",
    why: 'The generated firewall rules let NTP pass to them and to no others.',
    example: '192.0.2.123',
  },
  {
    name: 'administrators',
    takes: '<networks>',
    ask: 'Internal networks from which administrators log in over SSH',
    why: `The generated firewall rules close SSH to everybody else; ${NONE} closes it for all.`,
    example: '10.45.99.0/24',
  },
  {
    name: 'certificates',
    takes: '<folder>',
    ask: 'Folder of the certificates and keys',
    why: 'Relative to the document. access.crt and .key, internal.crt and .key, internal-ca.crt go there.',
    example: 'certificates',
  },
  {
    name: 'mediaKey',
    takes: '<file>',
    ask: 'File of the media key',
    why: 'Relay credentials are made from it; every edge of a pool has the same.',
    example: 'secrets/pool.media',
  },
  {
    name: 'createMediaKey',
    takes: '<yes|no>',
    ask: 'Make a new media key there now',
    why: 'Answer no when another edge of the pool has one: copy that.',
    example: 'yes',
    applies: (known) => !mediaKeyExists(known),
    complain: yesOrNo,
  },
  {
    name: 'runAs',
    takes: '<user>',
    ask: 'Account of the services when started as root',
    why: `Nothing that reads from the Internet should run as root; ${NONE} when systemd starts it as an account already.`,
    example: 'sallyport',
  },
  {
    name: 'stateDirectory',
    takes: '<folder>',
    ask: 'Folder for what the edge writes while it runs',
    why: 'The administration socket is there too.',
    example: '/var/lib/sallyport/edge',
  },
];

/** Every question, in the order in which they are asked: what is known earlier makes later defaults better. */
export const questions: readonly Question[] = [...people, ...outside, ...inside, ...upkeep];

/** `--sip-domains` */
export function flagOf(name: QuestionName): string {
  return `--${kebab(name)}`;
}
