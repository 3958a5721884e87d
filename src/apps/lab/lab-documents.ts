import { stringify } from 'yaml';
import { insidePage, type LabPartner, type LabPlan, labFiles, meetingPage } from './lab-plan.ts';

const HEAD = '# Written by the lab for this machine; `sallyport check` reads it, edit a copy.\n';

/** The edge's document of the lab. */
export function edgeDocument(plan: LabPlan): string {
  const files = labFiles(plan);
  const { partner } = plan;
  return (
    HEAD +
    stringify({
      version: 1,
      host: {
        name: plan.names.edge,
        stateDirectory: 'edge-state',
        addresses: {
          access: [plan.access.address],
          webConferencing: [plan.webConferencing.address],
          av: [plan.av.address],
          internal: [plan.internal.address],
        },
        certificates: { access: relative(plan, files.access), internal: relative(plan, files.edge) },
        internalCa: 'ca.pem',
        ...(partner === undefined ? {} : { resolvers: [partner.nameServer.address], partnerCa: 'ca.pem' }),
        // The machine of whoever tries it may be nearly full.
        logging: { controllers: [plan.names.frontEnd], diskPercent: 99 },
        administration: {
          socket: 'edge.sock',
          metrics: { address: plan.metrics.address, port: plan.metrics.edge },
        },
      },
      policy: {
        site: 'lab',
        features: {
          logging: true,
          ...(partner === undefined ? {} : { xmpp: true }),
          ...(plan.meetings ? { webConferencing: true } : {}),
        },
        ...(plan.meetings ? { remoteAccess: pagesAndGuests(plan) } : {}),
        ...(partner === undefined ? {} : { xmpp: xmppPolicy(partner) }),
        sipDomains: [plan.domain],
        names: {
          access: plan.names.access,
          webConferencing: plan.names.webConferencing,
          av: plan.names.av,
        },
        internalNetworks: [network(plan.frontEnd.address), network(plan.internal.address)],
        nextHop: {
          name: plan.names.frontEnd,
          members: [{ name: plan.names.frontEnd, address: plan.frontEnd.address, port: plan.frontEnd.port }],
        },
        ports: {
          accessClients: plan.access.port,
          ...(plan.meetings ? { webConferencing: plan.webConferencing.port } : {}),
          accessInternal: plan.internal.sip,
          avUdp: plan.av.port,
          avAuthentication: plan.internal.authentication,
        },
        relay: { ports: { ...plan.relayPorts } },
        mediaCredentials: { keyFile: 'media.key', staticSecretFiles: ['relay.secret'] },
      },
    })
  );
}

/** The counterparts' document of the lab. */
export function internalDocument(plan: LabPlan): string {
  const files = labFiles(plan);
  const { partner } = plan;
  const edge = { name: plan.names.edge, address: plan.internal.address };
  const xmpp = partner !== undefined;
  return (
    HEAD +
    stringify({
      version: 1,
      host: {
        name: plan.names.frontEnd,
        stateDirectory: 'internal-state',
        addresses: { internal: [plan.frontEnd.address] },
        certificates: { internal: relative(plan, files.frontEnd) },
        internalCa: 'ca.pem',
        administration: {
          socket: 'internal.sock',
          metrics: { address: plan.metrics.address, port: plan.metrics.internal },
        },
      },
      frontEnd: {
        sipDomains: [plan.domain],
        port: plan.frontEnd.port,
        edges: [
          {
            ...edge,
            port: plan.internal.sip,
            avAuthenticationPort: plan.internal.authentication,
          },
        ],
        database: 'front-end.sqlite',
        externalAccess: { global: { remote: true, ...(xmpp ? { federation: true, xmpp } : {}) } },
        ...(plan.meetings ? { webSocket: pagesFrom(insidePage(plan)) } : {}),
        ...(xmpp || plan.meetings ? { trustedPeers: trustedPeers(plan) } : {}),
      },
      ...(plan.meetings
        ? {
            webConferencing: {
              domain: plan.names.webConferencing,
              meetingUrl: meetingPage(plan),
              port: plan.door.port,
              edges: [{ ...edge }],
            },
          }
        : {}),
      ...(xmpp ? { xmppGateway: { edges: [{ ...edge }] } } : {}),
      logging: { edges: [{ ...edge }] },
    })
  );
}

function xmppPolicy({ domain, host, address }: LabPartner) {
  return {
    partners: [{ domain, type: 'federated', server: host }],
    allowedNetworks: [network(address)],
  };
}

/** Browsers outside, from the page that the edge itself serves, and guests on the way to meetings. */
function pagesAndGuests(plan: LabPlan) {
  return {
    webSocket: pagesFrom(meetingPage(plan)),
    guests: { allowed: true, conferenceDomains: [plan.names.webConferencing] },
  };
}

function pagesFrom(page: string) {
  return { enabled: true, origins: [new URL(page).origin] };
}

/** The XMPP gateway and the focus, which have the front end's certificate. */
function trustedPeers({ names, partner, meetings }: LabPlan) {
  return [
    ...(partner === undefined ? [] : [{ name: names.frontEnd, domains: [partner.domain] }]),
    ...(meetings ? [{ name: names.frontEnd, domains: [names.webConferencing], conferences: true }] : []),
  ];
}

function relative(plan: LabPlan, pair: { certificate: string; key: string }) {
  const name = (file: string) => file.slice(plan.folder.length + 1);
  return { certificate: name(pair.certificate), key: name(pair.key) };
}

/** The /24 of an IPv4 address; the address alone for IPv6. */
function network(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
}
