import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type HostReadings,
  interfaceRoles,
  isPublicAddress,
  type OutsideReadings,
} from '#platform/host-survey';
import {
  addressFamily,
  addressRange,
  canonicalAddress,
  hostNetwork,
  networkContains,
  networksOverlap,
} from '#platform/topology';
import { type Answers, listOf, NONE, type QuestionName, translatedAddresses } from './answers.ts';

/** What is known when a question comes up. */
export interface Known {
  readonly host: HostReadings;
  readonly outside: OutsideReadings;
  readonly answers: Answers;
  /** The document to be written. */
  readonly file: string;
}

/** What this host would answer by itself; undefined when it cannot know. */
export function suggestion(name: QuestionName, known: Known): string | undefined {
  return suggestions[name](known);
}

type Suggest = (known: Known) => string | undefined;

const suggestions: Readonly<Record<QuestionName, Suggest>> = {
  sipDomains: ({ host }) => domainOf(host.hostName) ?? host.searchDomains.find((name) => name.includes('.')),
  site: ({ answers }) => firstDomain(answers),
  features: () => 'remote-users, media',
  mediaProfiles: () => 'ice',
  accessAddresses: ({ host }) => externalAddresses(host, 0),
  webConferencingAddresses: ({ host, answers }) => ownOrAccess(host, answers, 1),
  avAddresses: ({ host, answers }) => ownOrAccess(host, answers, 2),
  publicAddresses: suggestPublic,
  accessName: ({ answers }) => named('sip', answers),
  webConferencingName: ({ answers }) => serviceName('webconf', answers.webConferencingAddresses, answers),
  avName: ({ answers }) => serviceName('av', answers.avAddresses, answers),
  internalAddresses: ({ host }) => internalAddress(host),
  hostName({ host, answers }) {
    return domainOf(host.hostName) === undefined
      ? named(host.hostName.split('.')[0] ?? '', answers)
      : host.hostName;
  },
  internalNetworks: ({ host }) => internalNetworks(host),
  nextHopName: ({ answers }) => named('pool', answers),
  nextHopMembers({ host, answers }) {
    const name = answers.nextHopName ?? '';
    const address = host.hosts.get(name)?.[0];
    return address === undefined ? undefined : `${name}=${address}`;
  },
  resolvers: ({ host, answers }) =>
    listText((host.nameservers ?? []).filter((server) => isOutside(server, answers))),
  timeServers: ({ outside }) => canonicalAddress(outside.clockOffset?.server ?? '') ?? NONE,
  administrators({ host, answers }) {
    const from = host.remoteLogin;
    return from === undefined || isOutside(from, answers) ? NONE : hostNetwork(from);
  },
  certificates: () => 'certificates',
  mediaKey: () => 'secrets/pool.media',
  createMediaKey: () => 'yes',
  runAs: ({ host }) => (host.privileges.root ? 'sallyport' : NONE),
  stateDirectory: () => '/var/lib/sallyport/edge',
};

/** Whether the media key is there already, beside the document as it will stand. */
export function mediaKeyExists({ answers, file }: Pick<Known, 'answers' | 'file'>): boolean {
  return answers.mediaKey !== undefined && existsSync(resolve(dirname(resolve(file)), answers.mediaKey));
}

function listText(items: readonly string[]): string {
  return items.length === 0 ? NONE : items.join(', ');
}

function firstDomain(answers: Answers): string | undefined {
  return listOf(answers.sipDomains ?? '')[0];
}

function named(label: string, answers: Answers): string | undefined {
  const domain = firstDomain(answers);
  return domain === undefined || label === '' ? undefined : `${label}.${domain}`;
}

/** A service that shares the addresses of access may share its name. */
function serviceName(label: string, addresses: string | undefined, answers: Answers): string | undefined {
  return addresses === answers.accessAddresses ? answers.accessName : named(label, answers);
}

function domainOf(name: string): string | undefined {
  const domain = name.slice(name.indexOf('.') + 1);
  return name.includes('.') && domain.includes('.') && !domain.startsWith('localdomain') ? domain : undefined;
}

const SERVICES = 3;

/** Three IPv4 addresses are one for each service; with fewer the services share the first. */
function externalAddresses(host: HostReadings, service: number): string | undefined {
  const own = interfaceRoles(host).external?.addresses.map(({ address }) => address) ?? [];
  const ipv4 = own.filter((address) => addressFamily(address) === 4);
  const ipv6 = own.filter(
    (address) => addressFamily(address) === 6 && (isPublicAddress(address) || ipv4.length === 0),
  );
  const at = (of: readonly string[]): string | undefined => of[of.length >= SERVICES ? service : 0];
  const chosen = [at(ipv4), at(ipv6)].filter((address) => address !== undefined);
  return chosen.length === 0 ? undefined : chosen.join(', ');
}

/** What was answered for access counts more than what the host has. */
function ownOrAccess(host: HostReadings, answers: Answers, service: number): string | undefined {
  return answers.accessAddresses === externalAddresses(host, 0)
    ? externalAddresses(host, service)
    : answers.accessAddresses;
}

function suggestPublic({ outside, answers }: Known): string {
  const translated = translatedAddresses(answers);
  const seen = outside.seenAs;
  return seen !== undefined && translated.length === 1 && seen.from === translated[0] ? seen.address : NONE;
}

function internalAddress(host: HostReadings): string | undefined {
  const own = interfaceRoles(host).internal?.addresses.map(({ address }) => address) ?? [];
  return own.find((address) => addressFamily(address) === 4) ?? own[0];
}

/** What is routed through the internal interface is inside. */
function internalNetworks(host: HostReadings): string | undefined {
  const inside = interfaceRoles(host).internal;
  if (inside === undefined) return undefined;
  const routed = (host.routes ?? [])
    .filter((route) => route.interface === inside.name && !/^(0\.0\.0\.0|::)\/0$/.test(route.network))
    .map(({ network }) => network);
  const networks = [...new Set([...inside.addresses.map(({ network }) => network), ...routed])];
  const wider = (one: string, other: string): boolean =>
    one !== other && networksOverlap(one, other) && prefix(other) < prefix(one);
  return networks.filter((one) => !networks.some((other) => wider(one, other))).join(', ');
}

function prefix(network: string): number {
  return Number(network.slice(network.indexOf('/') + 1));
}

function isOutside(address: string, answers: Answers): boolean {
  if (addressRange(address) === 'loopback') return false;
  return !listOf(answers.internalNetworks ?? '').some((network) => networkContains(network, address));
}
