import type { PortSource } from './row-definition.ts';

/** What many rows have in common, and the ways to say a port. */

export const inExternal = { section: 'external', interface: 'external' } as const;
export const inInternal = { section: 'internal', interface: 'internal' } as const;
export const onAccess = { service: 'access', edge: 'access' } as const;
export const onAv = { service: 'av', edge: 'av', reach: 'node' } as const;

export const sip = { protocol: 'SIP', transport: 'tcp' } as const;
export const stun = { protocol: 'STUN/MSTURN', security: 'message-integrity' } as const;
export const media = { protocol: 'RTP', security: 'SRTP' } as const;
export const xmpp = { protocol: 'XMPP', transport: 'tcp', service: 'xmpp-proxy', feature: 'xmpp' } as const;

export const inbound = { direction: 'inbound' } as const;
export const outbound = { direction: 'outbound' } as const;

export function at(name: string, plus = 0): PortSource {
  return { setting: ['policy', 'ports', name], plus };
}
export function fixed(...ports: (number | readonly [number, number])[]): PortSource {
  return {
    ranges: ports.map((port) =>
      typeof port === 'number' ? { first: port, last: port } : { first: port[0], last: port[1] },
    ),
  };
}
export const relayRange: PortSource = { relayRange: true };
/** Where relayed media finds its peers: at a relay's TCP 443 or at any port that is nobody's well-known one. */
export const tcpMediaPeers = fixed(443, [1024, 65535]);
export const udpMediaPeers = fixed([1024, 65535]);

export const accessOutside = { ...onAccess, reach: 'virtual' } as const;
export const sipPartners = { ...sip, ...accessOutside, security: 'MTLS' } as const;
export const rangeOut = { ...media, ...onAv, ...outbound, peers: 'any', sourcePort: relayRange } as const;
export const rangeIn = { ...media, ...onAv, ...inbound, peers: 'any', port: relayRange } as const;
