import type { EdgeDocument } from '#platform/topology';

/** A kind of SRV record that leads to the edge. */
export interface DnsService {
  /** The owner's first two labels. */
  readonly label: string;
  /** The port row that is reached through it, and the setting that switches it on. */
  readonly row: string;
  readonly feature: keyof EdgeDocument['policy']['features'];
  readonly service: 'access' | 'av';
  readonly text: string;
  /**
   * Whether whoever follows it takes a target in the record's own domain only. XMPP servers and TURN clients compare
   * the domain that they asked about with the certificate instead.
   */
  readonly strict: boolean;
}

/**
 * Every SRV record that an edge can ask for: SIP clients and partners (RFC 3263 §4.1 and the field's own
 * `_sipfederationtls`), XMPP servers (RFC 6120 §3.2.1, XEP-0368), TURN clients (RFC 5928 §3).
 */
export const dnsServices: readonly DnsService[] = [
  {
    label: '_sip._tls',
    row: 'ext-05',
    feature: 'remoteUsers',
    service: 'access',
    text: 'clients outside find where to sign in',
    strict: true,
  },
  {
    label: '_sipfederationtls._tcp',
    row: 'ext-06',
    feature: 'federation',
    service: 'access',
    text: 'partners find this organisation',
    strict: true,
  },
  {
    label: '_xmpp-server._tcp',
    row: 'ext-01',
    feature: 'xmpp',
    service: 'access',
    text: 'XMPP servers of partners find this domain',
    strict: false,
  },
  {
    label: '_xmpps-server._tcp',
    row: 'ext-01',
    feature: 'xmpp',
    service: 'access',
    text: 'XMPP servers that begin with TLS find this domain',
    strict: false,
  },
  {
    label: '_turn._udp',
    row: 'ext-14',
    feature: 'media',
    service: 'av',
    text: 'clients find the relay over UDP',
    strict: false,
  },
  {
    label: '_turn._tcp',
    row: 'ext-15',
    feature: 'media',
    service: 'av',
    text: 'clients find the relay over TCP',
    strict: false,
  },
  {
    label: '_turns._tcp',
    row: 'ext-15',
    feature: 'media',
    service: 'av',
    text: 'clients find the relay over TLS',
    strict: false,
  },
];
