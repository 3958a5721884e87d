import { addressRange, type EdgeDocument, networkContains } from '#platform/topology';

/** What the document says about an address that a resolver gave; undefined when nothing. */
export interface AddressKnowledge {
  /** Whose address it is: `the internal address of edge1.example.com`. */
  owner(address: string): string | undefined;
  /** Why nobody outside can reach it, if so. */
  unreachable(address: string): string | undefined;
}

const SERVICES = { access: 'Access Edge', webConferencing: 'Web Conferencing Edge', av: 'A/V Edge' } as const;

/** Everything that a document tells about addresses. */
export function addressKnowledge(document: EdgeDocument): AddressKnowledge {
  const { host, policy } = document;
  const owners = new Map<string, string>();
  const own = (addresses: readonly string[], whose: string): void => {
    for (const address of addresses) owners.set(address, owners.get(address) ?? whose);
  };
  const edges = policy.pool.members.length > 0 ? policy.pool.members : [host];
  for (const { name, addresses } of edges) {
    own(addresses.internal, `the internal address of ${name}`);
    for (const service of ['access', 'webConferencing', 'av'] as const) {
      const shown = addresses.public[service];
      own(shown, `the public ${SERVICES[service]} address of ${name}`);
      const translated = shown.length > 0 ? ', which the external firewall translates' : '';
      own(addresses[service], `the ${SERVICES[service]} address of ${name}${translated}`);
    }
  }
  own(policy.pool.virtualAddresses.internal, 'the internal address of the load balancer');
  for (const { name, address } of policy.nextHop.members) own([address], `the next hop member ${name}`);
  own(policy.reverseProxy.addresses, 'the reverse proxy');
  return {
    owner: (address) => owners.get(address),
    unreachable(address) {
      const network = policy.internalNetworks.find((candidate) => networkContains(candidate, address));
      if (network !== undefined) return `it lies in ${network} of policy.internalNetworks`;
      const range = addressRange(address);
      return range === 'other' ? undefined : `it is a ${range} address`;
    },
  };
}
