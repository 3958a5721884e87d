import type { z } from 'zod';
import { externalAccess } from './external-access-schema.ts';
import { hostSettings, internalAddresses, keyPair, sipLimits } from './host-schema.ts';
import { logController } from './log-controller-schema.ts';
import { management } from './management-schema.ts';
import { meetings } from './meetings-schema.ts';
import { presence } from './presence-schema.ts';
import * as setting from './setting.ts';
import { webSocketPort } from './web-socket-schema.ts';
import { xmppGateway } from './xmpp-gateway-schema.ts';

const NAME = 'a fully qualified domain name';

const host = setting.section('What belongs to this host alone.', {
  ...hostSettings('internal', 9181, {}),
  addresses: setting.section('The addresses of this host.', { internal: internalAddresses() }),
  certificates: setting.section('The identities of this host.', {
    internal: keyPair('Shown to edges and internal clients; it names host.name.', 'internal'),
  }),
});

const edges = setting.sections('The edges that this front end works with.', {
  name: setting.text(NAME, setting.domainName, {
    sentence: "The edge's internal name, which its certificate must hold.",
    reload: 'live',
    example: 'edge1.example.com',
  }),
  address: setting.text('an IPv4 or IPv6 address', setting.hostAddress, {
    sentence: "The edge's internal address.",
    reload: 'live',
    example: '10.45.16.10',
  }),
  port: setting.port(5061, {
    sentence: 'Internal TCP port of its Access Edge service.',
    rows: ['int-02'],
  }),
  avAuthenticationPort: setting.port(5062, {
    sentence: 'Internal TCP port of its A/V Authentication service.',
    rows: ['int-05'],
  }),
});

const trustedPeers = setting.sectionsOrNone(
  'SIP servers inside that speak for domains of their own, such as the XMPP gateway. They open the connections to this front end, by mutual TLS; whoever writes from such a domain is a user of another organisation.',
  {
    name: setting.text(NAME, setting.domainName, {
      sentence: "The peer's name, which its certificate must hold.",
      reload: 'live',
      example: 'xmpp-gateway.example.com',
    }),
    domains: setting.texts('a list of fully qualified domain names', setting.domainName, {
      sentence: 'Its domains: requests to them go to the peer, and it may send requests from them.',
      reload: 'live',
      example: ['partner.example'],
    }),
    conferences: setting.toggle(false, {
      sentence:
        'Whether its addresses are conferences of ours: people of the organisation reach them without a right to federate, and guests reach nothing else.',
      reload: 'live',
    }),
  },
);

const registrar = setting.optionalSection('How long sign-ins last.', {
  minExpiresSeconds: setting.integer({
    sentence: 'A sign-in asked for a shorter time is refused with 423.',
    reload: 'live',
    unit: 'seconds',
    default: 60,
    floor: 10,
    ceiling: 3600,
  }),
  maxExpiresSeconds: setting.integer({
    sentence: 'A sign-in asked for a longer time is granted this one.',
    reload: 'live',
    unit: 'seconds',
    default: 7200,
    floor: 60,
    ceiling: 86_400,
  }),
  defaultExpiresSeconds: setting.integer({
    sentence: 'The time granted to a sign-in that asks for none.',
    reload: 'live',
    unit: 'seconds',
    default: 3600,
    floor: 60,
    ceiling: 86_400,
  }),
  bindingsPerUser: setting.integer({
    sentence: 'Most devices that one user may be signed in on.',
    reload: 'live',
    default: 10,
    floor: 1,
    ceiling: 100,
  }),
});

const frontEnd = setting.section('The embedded front end.', {
  sipDomains: setting.texts('a list of fully qualified domain names', setting.domainName, {
    sentence: 'The SIP domains whose users live here.',
    reload: 'live',
    example: ['example.com'],
  }),
  port: setting.port(5061, {
    sentence: 'TCP port for SIP over TLS, both of the edges and of internal clients.',
    rows: ['int-03', 'more-02'],
  }),
  webSocket: webSocketPort('for pages inside', ['more-02']),
  edges,
  trustedPeers,
  database: setting.derivedText(
    'front-end.sqlite in stateDirectory',
    'the path of a file',
    setting.filePath,
    {
      sentence: 'SQLite file with the users; it is created when it does not exist.',
      reload: 'restart',
      example: '/var/lib/sallyport/internal/front-end.sqlite',
      path: true,
    },
  ),
  registrar,
  externalAccess,
  presence,
  limits: setting.optionalSection('Bounds on what peers can make the front end hold.', {
    connections: setting.integer({
      sentence: 'Most connections at a time.',
      reload: 'live',
      default: 10_000,
      floor: 10,
      ceiling: 500_000,
    }),
    ...sipLimits(),
  }),
});

/** internal.yaml */
export const internalSchema = setting.section('What the internal program runs.', {
  version: setting.formatVersion(),
  host,
  frontEnd,
  management,
  logging: logController,
  xmppGateway,
  webConferencing: meetings,
});

/** A loaded internal.yaml: defaults filled in, paths absolute, names lower-case, addresses canonical. */
export type InternalDocument = z.output<typeof internalSchema>;
