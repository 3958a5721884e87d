import { createServer } from 'node:net';
import { join } from 'node:path';
import type { DigestAlgorithm } from '#protocols/sip';

/** One end of the lab: an address and the port that a row uses there. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface LabPartner {
  readonly domain: string;
  readonly host: string;
  readonly address: string;
  readonly nameServer: Place;
}

/** Everything that the lab decides before it writes its documents. */
export interface LabPlan {
  readonly folder: string;
  readonly domain: string;
  readonly names: {
    readonly access: string;
    readonly webConferencing: string;
    readonly av: string;
    readonly edge: string;
    readonly frontEnd: string;
  };
  readonly access: Place;
  readonly webConferencing: Place;
  /** Whether there are web conferences. */
  readonly meetings: boolean;
  /** The A/V Edge's external address and its UDP port. */
  readonly av: Place;
  /** The edge's internal interface. */
  readonly internal: {
    readonly address: string;
    readonly sip: number;
    readonly av: number;
    readonly authentication: number;
  };
  readonly frontEnd: Place;
  /** The web conferencing service's own door, for people inside. */
  readonly door: Place;
  /** An organisation with an XMPP server, and the name server by which the edge finds it; none where port 53 is not ours. */
  readonly partner?: LabPartner;
  readonly clients: { readonly alice: string; readonly carol: string; readonly bob: string };
  readonly metrics: { readonly address: string; readonly edge: number; readonly internal: number };
  readonly relayPorts: { readonly first: number; readonly last: number };
  /** The accounts, and the digest algorithm that each is stored for. */
  readonly accounts: { readonly [account in Account]: DigestAlgorithm };
  /** What the external certificate is good for. */
  readonly externalUsages: readonly ('serverAuth' | 'clientAuth')[];
  /** What differs from a real perimeter on this machine, one sentence each. */
  readonly remarks: readonly string[];
}

export type Person = 'alice' | 'bob' | 'carol';
/** The three of the demonstration, and one for a softphone of the reader's own. */
export type Account = Person | 'phone';

/** What makes a lab differ from the one that `sallyport lab` runs. */
export interface LabVariant {
  /** Second number of all its loopback addresses, 0 to 255: labs that differ in it run side by side. */
  readonly network?: number;
  readonly accounts?: Partial<LabPlan['accounts']>;
  /** Whether the external certificate is good for clients as well, which public authorities issue no more. */
  readonly clientAuth?: boolean;
  /** Whether there is an XMPP partner, with whom messages and presence are exchanged. */
  readonly xmpp?: boolean;
  /** Whether there are web conferences, for people inside, outside, and guests. */
  readonly meetings?: boolean;
}

// Most softphones for people know MD5 only; our own three know better.
const ACCOUNTS: LabPlan['accounts'] = {
  alice: 'SHA-256',
  bob: 'SHA-256',
  carol: 'SHA-256',
  phone: 'MD5',
};
const DOMAIN = 'lab.test';
const PARTNER_DOMAIN = 'verona.test';
const UNPRIVILEGED_OFFSET = 10_000;
const DNS_PORT = 53;

/**
 * Decides addresses and ports from what this machine allows. The perimeter has its own loopback addresses where the
 * whole of 127.0.0.0/8 is local (Linux); elsewhere the outside is 127.0.0.1, the inside ::1.
 */
export async function planLab(folder: string, variant: LabVariant = {}): Promise<LabPlan> {
  const remarks: string[] = [];
  const local = (place: string) => `127.${variant.network ?? 0}.${place}`;
  const aliases = await canBind(local('1.10'), 0);
  if (!aliases) remarks.push('127.0.x.y is not local here: outside is 127.0.0.1 and inside is ::1.');
  const outside = (last: number) => (aliases ? local(`1.${last}`) : '127.0.0.1');
  const inside = (place: string) => (aliases ? local(place) : '::1');
  const partner = variant.xmpp === true ? await planPartner(local, aliases, remarks) : undefined;
  const privileged = await canBind(outside(10), 443);
  const https = privileged ? 443 : 443 + UNPRIVILEGED_OFFSET;
  if (!privileged) remarks.push('Ports below 1024 are not ours to bind here: 443 is 10443.');
  return {
    folder,
    domain: DOMAIN,
    names: {
      access: `sip.${DOMAIN}`,
      webConferencing: `conf.${DOMAIN}`,
      av: `av.${DOMAIN}`,
      edge: `edge1.int.${DOMAIN}`,
      frontEnd: `fe1.int.${DOMAIN}`,
    },
    access: { address: outside(10), port: https },
    // Where the outside is one address, one port after the other.
    webConferencing: { address: outside(20), port: aliases ? https : https + 1 },
    meetings: variant.meetings === true,
    av: { address: outside(30), port: 3478 },
    internal: { address: inside('2.10'), sip: 5061, av: 3478, authentication: 5062 },
    ...(partner === undefined ? {} : { partner }),
    frontEnd: { address: inside('4.10'), port: aliases ? 5061 : 15_061 },
    door: { address: inside('4.10'), port: aliases ? 8057 : 18_057 },
    clients: aliases
      ? { alice: local('5.1'), carol: local('5.2'), bob: local('4.50') }
      : { alice: '127.0.0.1', carol: '127.0.0.1', bob: '::1' },
    metrics: { address: aliases ? local('0.1') : '127.0.0.1', edge: 19_436, internal: 19_437 },
    relayPorts: { first: 50_000, last: 59_999 },
    accounts: { ...ACCOUNTS, ...variant.accounts },
    externalUsages: variant.clientAuth === true ? ['serverAuth', 'clientAuth'] : ['serverAuth'],
    remarks,
  };
}

/** Partners are found by the DNS, whose port nobody can choose. */
async function planPartner(
  local: (place: string) => string,
  aliases: boolean,
  remarks: string[],
): Promise<LabPartner | undefined> {
  const nameServer = { address: local('3.53'), port: DNS_PORT };
  if (!aliases || !(await canBind(nameServer.address, DNS_PORT))) {
    remarks.push('There is no XMPP partner: its name server needs port 53 of an address of its own.');
    return undefined;
  }
  return { domain: PARTNER_DOMAIN, host: `xmpp.${PARTNER_DOMAIN}`, address: local('3.10'), nameServer };
}

/** The page of meetings, which the Web Conferencing Edge serves. */
export function meetingPage({ names, webConferencing: { port } }: LabPlan): string {
  return `https://${names.webConferencing}${port === 443 ? '' : `:${port}`}/`;
}

/** The same page for browsers inside, which the web conferencing service serves. */
export function insidePage({ names, door }: LabPlan): string {
  return `https://${names.frontEnd}:${door.port}/`;
}

/** Paths of the lab's files; all of them lie in its folder. */
export function labFiles(plan: LabPlan) {
  const file = (name: string) => join(plan.folder, name);
  return {
    authority: file('ca.pem'),
    edgeDocument: file('edge.yaml'),
    internalDocument: file('internal.yaml'),
    access: { certificate: file('access.pem'), key: file('access.key') },
    edge: { certificate: file('edge.pem'), key: file('edge.key') },
    frontEnd: { certificate: file('front-end.pem'), key: file('front-end.key') },
    partner: { certificate: file('partner.pem'), key: file('partner.key') },
    partnerFolder: file('partner'),
    browserFolder: file('browser'),
    mediaKey: file('media.key'),
    relaySecret: file('relay.secret'),
    database: file('front-end.sqlite'),
    edgeSocket: file('edge.sock'),
    internalSocket: file('internal.sock'),
    edgeLog: file('edge.log'),
    internalLog: file('internal.log'),
  };
}

function canBind(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
