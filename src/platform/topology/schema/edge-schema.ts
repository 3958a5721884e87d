import type { z } from 'zod';
import { edgeAddresses } from './address-schema.ts';
import { webConferencing } from './conferencing-schema.ts';
import { edgeExternalAccess } from './external-access-schema.ts';
import { federation, publicProviders } from './federation-schema.ts';
import {
  derivedKeyPair,
  hostSettings,
  keyPair,
  namedKeyPairs,
  remoteAdministration,
  sipLimits,
} from './host-schema.ts';
import { hostLogging, logging } from './logging-schema.ts';
import { avLimits, relay } from './media-schema.ts';
import { features, internalPeers, pool, reverseProxy } from './perimeter-schema.ts';
import { remoteAccess } from './remote-access-schema.ts';
import { hostReplication } from './replication-schema.ts';
import { revocation } from './revocation-schema.ts';
import * as setting from './setting.ts';
import { xmpp } from './xmpp-schema.ts';

const NAME = 'a fully qualified domain name';
const NAMES = 'a list of fully qualified domain names';

const host = setting.section('What belongs to this host alone.', {
  ...hostSettings('edge', 9180, { remote: remoteAdministration }),
  addresses: edgeAddresses(
    'The addresses of this host. The three external ones may be the same address or three.',
  ),
  resolvers: setting.textsOrNone('a list of IPv4 and IPv6 addresses', setting.hostAddress, {
    sentence:
      'The only DNS servers that the edge may ask; every one outside when left out, never one inside.',
    reload: 'live',
    example: ['192.0.2.53'],
    rows: ['ext-03', 'ext-04'],
    mostItems: 8,
  }),
  timeServers: setting.textsOrNone('a list of IPv4 and IPv6 addresses', setting.hostAddress, {
    sentence: "Time servers outside that this host's clock follows (NTP, UDP 123).",
    reload: 'live',
    example: ['192.0.2.123'],
    rows: ['more-03'],
    mostItems: 8,
  }),
  partnerCa: setting.optionalText('the path of a PEM file', setting.filePath, {
    sentence:
      'Certificates of the authorities whose word counts for partners; the public ones when left out.',
    reload: 'live',
    example: 'certificates/partner-ca.crt',
    path: true,
    file: 'certificates',
  }),
  certificates: setting.section('The identities of this host.', {
    access: keyPair('Shown to outside clients by the Access Edge service.', 'access'),
    accessDomains: namedKeyPairs(
      'Shown by the Access Edge service to clients that ask for a name of these; to others, the one above.',
    ),
    internal: keyPair('Shown on the internal network; it names host.name.', 'internal'),
    av: derivedKeyPair('Shown to outside clients that reach the relay over TLS (turns:).', 'av', 'access'),
  }),
  replication: hostReplication,
  workers: setting.optionalSection(
    'In how many processes or threads a service runs, so that it uses more than one core.',
    {
      access: setting.integer({
        sentence: 'Processes of the Access Edge service, which share its ports; one is right for two cores.',
        reload: 'restart',
        default: 1,
        floor: 1,
        ceiling: 16,
      }),
      av: setting.integer({
        sentence:
          'Threads of the A/V Edge service that relay datagrams; with 1 the service does it itself, which is right for two cores.',
        reload: 'restart',
        default: 1,
        floor: 1,
        ceiling: 16,
      }),
    },
  ),
  logging: hostLogging,
});

const nextHop = setting.section('The only thing in the internal network that the edge dials.', {
  name: setting.text(NAME, setting.domainName, {
    sentence: 'Name of the pool of SIP servers that serves the SIP domains.',
    reload: 'live',
    example: 'pool.example.com',
  }),
  members: setting.sections('Its servers; a client connection stays with one until that one fails.', {
    name: setting.text(NAME, setting.domainName, {
      sentence: "The server's name, which its certificate must hold.",
      reload: 'live',
      example: 'fe1.example.com',
    }),
    address: setting.text('an IPv4 or IPv6 address', setting.hostAddress, {
      sentence: "The server's address; it must lie in policy.internalNetworks.",
      reload: 'live',
      example: '10.45.32.11',
      rows: ['int-03'],
    }),
    port: setting.port(5061, { sentence: 'TCP port on which it takes SIP over TLS.', rows: ['int-03'] }),
    domains: setting.textsOrNone(NAMES, setting.domainName, {
      sentence:
        'The SIP domains that it serves, when it does not serve all; a domain that no member names is served by those that name none.',
      reload: 'live',
      example: ['example.com'],
    }),
  }),
});

const ports = setting.optionalSection('Where the services listen.', {
  accessClients: setting.derivedPort('443, or 5061 where it shares its address with addresses.av', {
    sentence: 'External TCP port of the Access Edge service for clients.',
    example: 443,
    rows: ['ext-05', 'pic-03'],
  }),
  accessFederation: setting.port(5061, {
    sentence: 'External TCP port of the Access Edge service for partners and public providers.',
    rows: ['ext-06', 'pic-01'],
  }),
  accessInternal: setting.port(5061, {
    sentence: 'Internal TCP port of the Access Edge service for the next hop.',
    rows: ['int-02'],
  }),
  webConferencing: setting.derivedPort('443, or 444 where it shares its address with another service', {
    sentence: 'External TCP port of the Web Conferencing Edge service.',
    example: 443,
    rows: ['ext-08'],
  }),
  webConferencingInternal: setting.port(8057, {
    sentence: 'Internal TCP port of the Web Conferencing Edge service.',
    rows: ['int-04'],
  }),
  avUdp: setting.port(3478, {
    sentence: 'UDP port of the A/V Edge service, external and internal.',
    rows: ['ext-14', 'pic-06', 'int-06'],
  }),
  avTcp: setting.port(443, {
    sentence: 'TCP port of the A/V Edge service, external and internal.',
    rows: ['ext-15', 'int-07'],
  }),
  avAuthentication: setting.port(5062, {
    sentence: 'Internal TCP port of the A/V Authentication service.',
    rows: ['int-05'],
  }),
  xmpp: setting.port(5269, {
    sentence: 'External TCP port of the XMPP proxy.',
    rows: ['ext-01', 'xmpp-01'],
  }),
  xmppInternal: setting.port(23456, {
    sentence: 'Internal TCP port of the XMPP proxy, for the gateway.',
    rows: ['int-01', 'xmpp-03'],
  }),
  replication: setting.port(4443, {
    sentence: 'Internal TCP port of the replica agent.',
    rows: ['int-08'],
  }),
  logging: setting.integer({
    sentence: 'Internal TCP port of the logging agent, the first of three.',
    reload: 'live',
    default: 50001,
    floor: 1,
    ceiling: 65533,
    rows: ['int-09'],
  }),
});

const mediaCredentials = setting.section('The time-limited credentials for the relay.', {
  keyFile: setting.text('the path of a file', setting.filePath, {
    sentence:
      'File with the key from which credentials are made (base64), or with several and their turns as `sallyport keys roll` writes them; the same on every edge of a pool.',
    reload: 'live',
    example: 'secrets/pool.media',
    path: true,
    file: 'media-key',
  }),
  previousKeyFiles: setting.textsOrNone('a list of paths of files', setting.filePath, {
    sentence: 'Earlier keys, whose credentials count until they expire.',
    reload: 'live',
    example: ['secrets/previous.media'],
    path: true,
    file: 'media-key',
    mostItems: 8,
  }),
  lifetimeMinutes: setting.integer({
    sentence: 'Longest lifetime of a credential.',
    reload: 'live',
    unit: 'minutes',
    default: 480,
    floor: 1,
    ceiling: 259_200,
  }),
  staticSecretFiles: setting.textsOrNone('a list of paths of files', setting.filePath, {
    sentence: 'Files with a secret shared with another system that makes relay credentials in the REST form.',
    reload: 'live',
    example: ['secrets/conference.secret'],
    path: true,
    file: 'shared-secret',
    mostItems: 8,
  }),
});

const preSignIn = setting.optionalSection('What a client may send before the next hop has accepted it.', {
  messages: setting.integer({
    sentence: 'Most SIP requests before sign-in.',
    reload: 'live',
    default: 20,
    floor: 2,
    ceiling: 1000,
  }),
  bytes: setting.integer({
    sentence: 'Most bytes before sign-in.',
    reload: 'live',
    unit: 'bytes',
    default: 65536,
    floor: 8192,
    ceiling: 16_777_216,
  }),
  seconds: setting.integer({
    sentence: 'Longest time that a connection may take to sign in.',
    reload: 'live',
    unit: 'seconds',
    default: 30,
    floor: 1,
    ceiling: 600,
  }),
});

const accessLimits = setting.optionalSection('Bounds of the Access Edge service.', {
  connections: setting.integer({
    sentence: 'Most client connections at a time.',
    reload: 'live',
    default: 20_000,
    floor: 10,
    ceiling: 500_000,
  }),
  connectionsPerSource: setting.integer({
    sentence: 'Most client connections from one address (IPv6: from one /64) at a time.',
    reload: 'live',
    default: 500,
    floor: 1,
    ceiling: 500_000,
  }),
  handshakes: setting.integer({
    sentence: 'Most TLS handshakes under way at a time.',
    reload: 'live',
    default: 256,
    floor: 4,
    ceiling: 10_000,
  }),
  ...sipLimits(),
  keepAliveSeconds: setting.integer({
    sentence: 'A client connection on which nothing arrived for so long is closed.',
    reload: 'live',
    unit: 'seconds',
    default: 300,
    floor: 30,
    ceiling: 86_400,
  }),
  drainSeconds: setting.integer({
    sentence:
      'While the edge is drained, connections of clients that are at rest are closed one by one within this time.',
    reload: 'live',
    unit: 'seconds',
    default: 60,
    floor: 1,
    ceiling: 3600,
  }),
  overloadMs: setting.integer({
    sentence: 'While messages wait longer than this to be read, new requests are refused with 503, fairly.',
    reload: 'live',
    unit: 'milliseconds',
    default: 200,
    floor: 20,
    ceiling: 10_000,
  }),
  preSignIn,
});

const policy = setting.section('What all edges of the organisation have in common.', {
  site: setting.text('a name', setting.label, {
    sentence: 'Name of the site, for people.',
    reload: 'live',
    example: 'Head office',
  }),
  sipDomains: setting.texts(NAMES, setting.domainName, {
    sentence: 'The SIP domains of the organisation.',
    reload: 'live',
    example: ['example.com'],
  }),
  names: setting.section('The names by which the outside knows the services.', {
    access: setting.text(NAME, setting.domainName, {
      sentence: 'External name of the Access Edge service.',
      reload: 'live',
      example: 'sip.example.com',
    }),
    webConferencing: setting.text(NAME, setting.domainName, {
      sentence: 'External name of the Web Conferencing Edge service; meeting links lead to it.',
      reload: 'live',
      example: 'webconf.example.com',
    }),
    av: setting.text(NAME, setting.domainName, {
      sentence: 'External name of the A/V Edge service, given to outside clients with their credentials.',
      reload: 'live',
      example: 'av.example.com',
    }),
  }),
  internalNetworks: setting.texts('a list of networks in CIDR form', setting.network, {
    sentence:
      'The networks of the organisation behind the internal firewall; no media is ever relayed into them.',
    reload: 'live',
    example: ['10.45.0.0/16'],
  }),
  features,
  remoteAccess,
  externalAccess: edgeExternalAccess,
  federation,
  revocation,
  publicProviders,
  xmpp,
  webConferencing,
  nextHop,
  internalPeers,
  avAuthentication: setting.optionalSection('The A/V Authentication service.', {
    callers: setting.derivedTexts('policy.nextHop, its name and its members', NAMES, setting.domainName, {
      sentence: 'Certificate names that may ask for relay credentials.',
      reload: 'live',
      example: ['pool.example.com', 'fe1.example.com'],
      rows: ['int-05'],
    }),
  }),
  pool,
  reverseProxy,
  logging,
  ports,
  relay,
  mediaCredentials,
  limits: setting.optionalSection('Bounds on what peers can make the services hold.', {
    access: accessLimits,
    av: avLimits,
    avAuthentication: setting.optionalSection('Bounds of the A/V Authentication service.', {
      connections: setting.integer({
        sentence: 'Most connections at a time.',
        reload: 'live',
        default: 64,
        floor: 2,
        ceiling: 10_000,
      }),
      requestsPerSecond: setting.integer({
        sentence:
          'Most requests of one caller in a second; those beyond it are told that the server is busy.',
        reload: 'live',
        default: 200,
        floor: 1,
        ceiling: 10_000,
      }),
    }),
  }),
});

/** edge.yaml */
export const edgeSchema = setting.section('What an edge runs.', {
  version: setting.formatVersion(),
  host,
  policy,
});

/** A loaded edge.yaml: defaults filled in, paths absolute, names lower-case, addresses canonical. */
export type EdgeDocument = z.output<typeof edgeSchema>;
