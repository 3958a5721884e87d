import {
  addressFamily,
  addressRange,
  canonicalAddress,
  type Draft,
  type EdgeDocument,
  featureKeys,
} from '#platform/topology';

/** What the interview asks for, in its order; a flag's name in another spelling. */
export type QuestionName =
  | 'sipDomains'
  | 'site'
  | 'features'
  | 'mediaProfiles'
  | 'accessAddresses'
  | 'webConferencingAddresses'
  | 'avAddresses'
  | 'publicAddresses'
  | 'accessName'
  | 'webConferencingName'
  | 'avName'
  | 'internalAddresses'
  | 'hostName'
  | 'internalNetworks'
  | 'nextHopName'
  | 'nextHopMembers'
  | 'resolvers'
  | 'timeServers'
  | 'administrators'
  | 'certificates'
  | 'mediaKey'
  | 'createMediaKey'
  | 'runAs'
  | 'stateDirectory';

/** Answers as they were typed. What they mean, and whether the schema agrees, shows in the document made from them. */
export type Answers = Readonly<Partial<Record<QuestionName, string>>>;

/** Stands for an empty list and for nothing. */
export const NONE = 'none';

/** The items of a list, separated by commas or spaces. */
export function listOf(text: string): string[] {
  const items = text.split(/[\s,]+/).filter((item) => item !== '');
  return items.length === 1 && items[0] === NONE ? [] : items;
}

/** `remoteUsers` as people write it: `remote-users`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export type Features = EdgeDocument['policy']['features'];

/** Whether the answers switch a feature on. */
export function wants(answers: Answers, feature: keyof Features): boolean {
  return listOf(answers.features ?? '').includes(kebab(feature));
}

export interface NextHopMember {
  readonly name: string;
  readonly address: string;
  readonly port?: number;
}

/** `fe1.example.com=10.45.32.11`, with `:5061` behind it or not, an IPv6 address then in brackets. */
export function nextHopMember(text: string): NextHopMember | undefined {
  const match = /^([^=]+)=(?:\[([^\]]+)\]|([^:[\]]+)|([^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, name = '', bracketed, ipv4, ipv6, port] = match;
  const address = bracketed ?? ipv4 ?? ipv6 ?? '';
  return { name, address, ...(port === undefined ? {} : { port: Number(port) }) };
}

/** The external addresses that an external firewall has to translate: those of a family in which one is private. */
export function translatedAddresses(answers: Answers): string[] {
  const external = ['accessAddresses', 'webConferencingAddresses', 'avAddresses'] as const;
  const all = [...new Set(external.flatMap((name) => canonicalList(answers[name])))];
  const families = new Set(
    all.filter((address) => addressRange(address) === 'private').map((address) => addressFamily(address)),
  );
  return all.filter((address) => families.has(addressFamily(address)));
}

function canonicalList(text: string | undefined): string[] {
  return listOf(text ?? '').map((item) => canonicalAddress(item) ?? item);
}

/** What the answers so far write into the document. */
export function documentValues(answers: Answers): Draft<EdgeDocument> {
  const list = (name: QuestionName): string[] | undefined => {
    const text = answers[name];
    return text === undefined ? undefined : listOf(text);
  };
  return {
    version: 1,
    host: hostValues(answers, list),
    policy: {
      site: answers.site,
      sipDomains: list('sipDomains'),
      names: {
        access: answers.accessName,
        webConferencing: answers.webConferencingName,
        av: answers.avName,
      },
      internalNetworks: list('internalNetworks'),
      features: featureValues(answers),
      federation: { mediaProfiles: list('mediaProfiles') as never },
      nextHop: {
        name: answers.nextHopName,
        members: list('nextHopMembers')?.map((member) => nextHopMember(member)),
      },
      mediaCredentials: { keyFile: answers.mediaKey },
    },
  };
}

type List = (name: QuestionName) => string[] | undefined;

/** A list that may be left out is written when it has something. */
function some(items: string[] | undefined): string[] | undefined {
  return items === undefined || items.length === 0 ? undefined : items;
}

function hostValues(answers: Answers, list: List): Draft<EdgeDocument['host']> {
  const file = (name: string): string | undefined =>
    answers.certificates === undefined ? undefined : `${answers.certificates.replace(/\/+$/, '')}/${name}`;
  return {
    name: answers.hostName,
    stateDirectory: answers.stateDirectory,
    runAs: answers.runAs === NONE ? undefined : answers.runAs,
    internalCa: file('internal-ca.crt'),
    administration: { remote: { networks: some(list('administrators')) } },
    addresses: {
      access: list('accessAddresses'),
      webConferencing: list('webConferencingAddresses'),
      av: list('avAddresses'),
      internal: list('internalAddresses'),
      public: publicValues(answers, list),
    },
    resolvers: some(list('resolvers')),
    timeServers: some(list('timeServers')),
    certificates: {
      access: { certificate: file('access.crt'), key: file('access.key') },
      internal: { certificate: file('internal.crt'), key: file('internal.key') },
    },
  };
}

function featureValues(answers: Answers): Draft<Features> {
  if (answers.features === undefined) return {};
  return Object.fromEntries(featureKeys.map((feature) => [feature, wants(answers, feature)]));
}

/** Each service's own; one that shares the addresses of access shares its public ones without a word. */
function publicValues(answers: Answers, list: List): Draft<EdgeDocument['host']['addresses']['public']> {
  const shown = some(list('publicAddresses'));
  if (shown === undefined) return {};
  const byAddress = new Map(translatedAddresses(answers).map((address, index) => [address, shown[index]]));
  const access = canonicalList(answers.accessAddresses);
  const of = (addresses: readonly string[]): string[] | undefined =>
    some(addresses.map((address) => byAddress.get(address)).filter((address) => address !== undefined));
  const ofOther = (name: QuestionName): string[] | undefined => {
    const own = canonicalList(answers[name]);
    return own.join() === access.join() ? undefined : of(own);
  };
  return {
    access: of(access),
    webConferencing: ofOther('webConferencingAddresses'),
    av: ofOther('avAddresses'),
  };
}
