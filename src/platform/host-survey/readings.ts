import type { PortRange, Transport } from '#platform/topology';

/** An address of this host and the network behind the interface that has it, in CIDR form. */
export interface OwnAddress {
  readonly address: string;
  readonly network: string;
}

/** An interface that is up. Link-local addresses are left out: no document can name them. */
export interface HostInterface {
  readonly name: string;
  readonly loopback: boolean;
  readonly addresses: readonly OwnAddress[];
}

export interface Route {
  /** In CIDR form; `0.0.0.0/0` and `::/0` are the default routes. */
  readonly network: string;
  /** Absent for a network that is on the link. */
  readonly gateway: string | undefined;
  readonly interface: string;
  /** The lower one wins. */
  readonly metric: number;
}

export interface SocketOwner {
  readonly pid: number;
  /** Name of its program, as the kernel tells it: not to be trusted, printed with care. */
  readonly name: string;
}

/** A TCP socket that listens or a UDP socket that is bound. */
export interface OpenSocket {
  readonly transport: Transport;
  /** `0.0.0.0` and `::` stand for every address. */
  readonly address: string;
  readonly port: number;
  /** Absent when this user may not see it, or when the search was cut short. */
  readonly owner: SocketOwner | undefined;
}

export interface ClockReading {
  /** What the kernel or the time service says; undefined when neither says anything. */
  readonly synchronized: boolean | undefined;
  /** The time service that runs. */
  readonly keeper: string | undefined;
}

export interface Privileges {
  readonly root: boolean;
  /** Root or CAP_NET_BIND_SERVICE; undefined when the capabilities cannot be read. */
  readonly mayBindLowPorts: boolean | undefined;
  /** Ports below it need that privilege; 1024 unless the host was told otherwise. */
  readonly firstFreePort: number;
}

/** What a look at the host showed. Whatever could not be read is undefined, and nothing is concluded from it. */
export interface HostReadings {
  readonly hostName: string;
  readonly interfaces: readonly HostInterface[];
  readonly routes: readonly Route[] | undefined;
  /** The DNS servers that the host asks in the end, not a local one that asks for it. */
  readonly nameservers: readonly string[] | undefined;
  /** Domains in which the host looks for short names. */
  readonly searchDomains: readonly string[];
  /** Addresses by lower-case name, as /etc/hosts has them. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly clock: ClockReading;
  /** Most open files of a process; Infinity when unlimited. */
  readonly openFiles: number | undefined;
  /** Bytes: the most that a socket may ask for. */
  readonly receiveBufferMax: number | undefined;
  readonly listenBacklog: number | undefined;
  readonly synBacklog: number | undefined;
  readonly ephemeralPorts: PortRange | undefined;
  readonly reservedPorts: readonly PortRange[] | undefined;
  readonly forwardsIpv4: boolean | undefined;
  readonly forwardsIpv6: boolean | undefined;
  readonly sockets: readonly OpenSocket[] | undefined;
  readonly privileges: Privileges;
  /** The address from which the operator is logged in over SSH. */
  readonly remoteLogin: string | undefined;
  /** Whether an account exists; undefined when nobody can tell. */
  hasAccount(name: string): boolean | undefined;
}

/** What only others can tell, asked for by the operator alone: no packet is sent otherwise. */
export interface OutsideReadings {
  /** The addresses that a STUN server saw, in place of the one of ours that it was asked from. */
  readonly seenAs?: { readonly from: string; readonly address: string; readonly server: string };
  /** Seconds by which a time server is ahead of this host's clock, and by how much that may be wrong. */
  readonly clockOffset?: { readonly seconds: number; readonly uncertainty: number; readonly server: string };
}
