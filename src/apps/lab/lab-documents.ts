import { stringify } from 'yaml';
import { type LabPlan, labFiles } from './lab-plan.ts';

const HEAD = '# Written by the lab for this machine; `sallyport check` reads it, edit a copy.\n';

/** The edge's document of the lab. */
export function edgeDocument(plan: LabPlan): string {
  const files = labFiles(plan);
  return (
    HEAD +
    stringify({
      version: 1,
      host: {
        name: plan.names.edge,
        stateDirectory: 'edge-state',
        addresses: {
          access: [plan.access.address],
          webConferencing: [plan.webConferencing],
          av: [plan.av.address],
          internal: [plan.internal.address],
        },
        certificates: { access: relative(plan, files.access), internal: relative(plan, files.edge) },
        internalCa: 'ca.pem',
        // The machine of whoever tries it may be nearly full.
        logging: { controllers: [plan.names.frontEnd], diskPercent: 99 },
        administration: {
          socket: 'edge.sock',
          metrics: { address: plan.metrics.address, port: plan.metrics.edge },
        },
      },
      policy: {
        site: 'lab',
        features: { logging: true },
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
            name: plan.names.edge,
            address: plan.internal.address,
            port: plan.internal.sip,
            avAuthenticationPort: plan.internal.authentication,
          },
        ],
        database: 'front-end.sqlite',
        externalAccess: { global: { remote: true } },
      },
      logging: { edges: [{ name: plan.names.edge, address: plan.internal.address }] },
    })
  );
}

function relative(plan: LabPlan, pair: { certificate: string; key: string }) {
  const name = (file: string) => file.slice(plan.folder.length + 1);
  return { certificate: name(pair.certificate), key: name(pair.key) };
}

/** The /24 of an IPv4 address; the address alone for IPv6. */
function network(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
}
