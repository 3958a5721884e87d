import type { HostReadings } from '../readings.ts';

/** A host on which `goodEdge` runs without anything to change: two interfaces, a time service, ports reserved. */
export const goodHost: HostReadings = {
  hostName: 'edge1.example.com',
  interfaces: [
    { name: 'lo', loopback: true, addresses: [{ address: '127.0.0.1', network: '127.0.0.0/8' }] },
    {
      name: 'eth0',
      loopback: false,
      addresses: ['192.0.2.10', '192.0.2.20', '192.0.2.30'].map((address) => ({
        address,
        network: '192.0.2.0/24',
      })),
    },
    {
      name: 'eth1',
      loopback: false,
      addresses: [{ address: '10.45.16.10', network: '10.45.16.0/24' }],
    },
  ],
  routes: [
    { network: '0.0.0.0/0', gateway: '192.0.2.1', interface: 'eth0', metric: 0 },
    { network: '192.0.2.0/24', gateway: undefined, interface: 'eth0', metric: 0 },
    { network: '10.45.16.0/24', gateway: undefined, interface: 'eth1', metric: 0 },
    { network: '10.45.0.0/16', gateway: '10.45.16.1', interface: 'eth1', metric: 0 },
  ],
  nameservers: ['192.0.2.53'],
  searchDomains: ['example.com'],
  hosts: new Map([['edge1.example.com', ['10.45.16.10']]]),
  clock: { synchronized: true, keeper: undefined },
  openFiles: 65536,
  receiveBufferMax: 4 << 20,
  listenBacklog: 4096,
  synBacklog: 4096,
  ephemeralPorts: { first: 32768, last: 60999 },
  reservedPorts: [{ first: 50000, last: 59999 }],
  forwardsIpv4: false,
  forwardsIpv6: false,
  sockets: [],
  privileges: { root: false, mayBindLowPorts: true, firstFreePort: 1024 },
  remoteLogin: undefined,
  hasAccount: (name) => name === 'sallyport' || name === 'root',
};

/** The host with one thing or a few changed. */
export function changed(changes: Partial<HostReadings>): HostReadings {
  return { ...goodHost, ...changes };
}
