import type { RowTexts } from './rows.ts';

const NOTHING_LISTENS = 'nothing that listens: connections only leave.';
const LOGGING = {
  purpose: 'Commands of the centralized log controller, and the logs that it collects.',
  story:
    'The controller of centralized logging, on any host where an administrator runs it, dials the logging agent on ' +
    'three ports; commands go out and what was found comes back on the same connection.',
  closed:
    'traces cannot be started, stopped, searched or collected on this edge, which shows only when one is needed.',
  open:
    'commands that start traces and read logs, to the hosts named in the document; each has to show a certificate ' +
    'of the internal authority.',
};

export const rowsEn: RowTexts = {
  'ext-01': {
    purpose: 'XMPP streams arriving from the servers of partners.',
    story:
      'Servers of XMPP partners find the edge by its SRV record and open a stream to the XMPP proxy, which shares ' +
      'the address of the Access Edge service.',
    closed:
      'no message and no presence arrives from XMPP partners, and most of them drop our own streams too, because ' +
      'they verify us by calling back on this port.',
    open: 'an XMPP server, its XML parser and its TLS handshake to every host before it has shown who it is.',
  },
  'ext-02': {
    purpose: 'Fetching revocation lists of certificates.',
    story:
      'Before the Access Edge service trusts the certificate of a peer it looks into the revocation list that the ' +
      'certificate names, which is served over plain HTTP: the list itself is signed.',
    closed:
      'a revoked certificate of a partner goes unnoticed, or partners are refused for want of an answer, as the ' +
      'policy has it.',
    open:
      'nothing that listens. The lists may lie on any host, so the destination cannot be narrowed: whoever took ' +
      'the edge over could carry data out here.',
  },
  'ext-03': {
    purpose: 'DNS queries whose answers are too long for UDP.',
    story:
      'The edge looks up partners, providers and revocation points in public DNS; a long answer is asked for ' +
      'again over TCP.',
    closed:
      'names with long answers (signed ones, many SRV records) do not resolve, and a partner seems to be gone.',
    open:
      'nothing that listens, but a way to carry data out through any server; host.resolvers narrows it to those ' +
      'that you name.',
  },
  'ext-04': {
    purpose: 'DNS queries.',
    story: 'The edge looks up partners, providers and revocation points in public DNS.',
    closed: 'no name outside resolves: no discovered partner, no XMPP partner, no revocation list.',
    open:
      'forged answers and a way to carry data out, as every resolver does; host.resolvers narrows it to the ' +
      'servers that you name.',
  },
  'ext-05': {
    purpose: 'Users of the organisation sign in from outside (client to server SIP).',
    story:
      'Clients outside open TLS to the Access Edge service and sign in over SIP. The edge does not authenticate ' +
      'them: it passes them on to the next hop, which does.',
    closed:
      'nobody signs in from outside, and with the signalling go presence, messages, meetings and calls of these ' +
      'users.',
    open:
      'a TLS and SIP server to the whole Internet, and behind it the guessing of passwords; what a client may send ' +
      'before sign-in is bounded, and nothing that it says is believed before the next hop has accepted it.',
  },
  'ext-06': {
    purpose: 'SIP of federated partners and public IM providers, arriving.',
    story:
      'The edges of partners and public providers dial the Access Edge service; both sides show a certificate ' +
      '(mutual TLS).',
    closed:
      'partners cannot begin anything: their messages, presence and calls do not arrive, while ours may still go ' +
      'out, which looks like a fault of theirs.',
    open: 'a SIP server that asks every caller for a certificate; only names that the policy allows get further.',
  },
  'ext-07': {
    purpose: 'SIP to federated partners and public IM providers, leaving.',
    story: 'The Access Edge service dials the edges of partners and public providers, with mutual TLS.',
    closed: 'users inside cannot begin anything with partners, and they appear offline to one another.',
    open:
      'nothing that listens. Partners are found by DNS, so any host may be dialled on TCP 5061, but each has to ' +
      'show the certificate of the name that was asked for.',
  },
  'ext-08': {
    purpose: 'Content of web conferences for participants outside.',
    story:
      'Participants outside exchange slides, whiteboards and polls with the Web Conferencing Edge service (PSOM ' +
      'over TLS), which passes them on over connections that the servers inside have opened (int-04).',
    closed: 'participants outside join, hear and chat, but see no shared content.',
    open: 'a TLS server to the whole Internet; nothing passes in before the key of a conference has been shown.',
  },
  'ext-09': {
    purpose: 'Relayed media to partners over TCP, from the relay range.',
    story:
      'Media that the A/V Edge service relays over TCP, sharing and file transfer above all, leaves from a port of ' +
      'the relay range towards the relay of a partner on 443 or another port of the peer.',
    closed:
      'sharing and file transfer with partners fail, and audio and video where UDP does not pass, though the calls ' +
      'are set up.',
    open: 'nothing that listens: only answers come back on connections that the relay has opened.',
  },
  'ext-10': {
    purpose: 'Relayed media to partners over UDP, from the relay range.',
    story:
      'Audio and video that the A/V Edge service relays over UDP leave from a port of the relay range towards the ' +
      'address that the partner has offered.',
    closed:
      'audio and video with partners take the longer way through both relays on 3478 or TCP, or stay silent where ' +
      'the partner does not offer it.',
    open:
      'nothing that listens: packets come back only from where media has been sent to, and the relay drops what ' +
      'has no permission.',
  },
  'ext-11': {
    purpose: 'Media of OCS 2007 partners arriving over TCP in the relay range.',
    story: 'Relays of partners of the 2007 generation open TCP connections to the relayed address itself.',
    closed: 'calls with OCS 2007 partners lose their media over TCP; nobody else notices.',
    open:
      'the whole relay range to the Internet. A port answers only while it is allocated, and then only to a peer ' +
      'that has a permission; still it is the widest opening of the plan.',
  },
  'ext-12': {
    purpose: 'Media of OCS 2007 partners arriving over UDP in the relay range.',
    story:
      'Relays of partners of the 2007 generation send UDP to the relayed address before it has sent to them.',
    closed: 'calls with OCS 2007 partners lose their media over UDP; nobody else notices.',
    open:
      'the whole relay range to the Internet. What arrives without a permission of the allocation is dropped, but ' +
      'the firewall no longer does it first.',
  },
  'ext-13': {
    purpose: 'Media between relays, and finding out what the other relay can do.',
    story:
      'The A/V Edge service sends STUN and relayed media from its own UDP port to the relays of partners, of public ' +
      'providers and of other edge pools.',
    closed: 'media between two relays has no way over UDP: it takes TCP with its delays, or fails.',
    open: 'no more than ext-14 does: the packets leave from the same socket.',
  },
  'ext-14': {
    purpose: 'Users outside obtain relay addresses and send media over UDP.',
    story:
      'Clients outside, and the relays of partners, ask the A/V Edge service for relayed addresses (TURN) and send ' +
      'their media through it. This is the best way for media into the organisation.',
    closed: 'calls with users outside fall back to TCP 443, with delay and stutter, or have no media at all.',
    open:
      'a TURN server to the whole Internet; without credentials made inside (int-05) it answers STUN and ' +
      'challenges, and relays nothing.',
  },
  'ext-15': {
    purpose: 'Users outside obtain relay addresses and send media over TCP.',
    story:
      'Clients behind networks that let out nothing but 443 reach the A/V Edge service over TCP; sharing and file ' +
      'transfer always do.',
    closed:
      'users in hotels and behind strict firewalls have no media, and nobody outside shares a screen or a file.',
    open: 'the same TURN server over TCP; without credentials it relays nothing.',
  },
  'ext-16': {
    purpose: 'TCP to the relays of other organisations.',
    story:
      'The A/V Edge service opens TCP connections to other relays on 443, for media that has no way over UDP.',
    closed: 'sharing, and calls over TCP, with peers that are reachable only through their relay fail.',
    open: `${NOTHING_LISTENS} They go to TCP 443 of any host outside.`,
  },
  'int-01': {
    purpose: 'The XMPP gateway inside dials the XMPP proxy.',
    story:
      'The gateway on the Front End, which translates between SIP and XMPP, dials the XMPP proxy. Stanzas of both ' +
      'directions ride on its connections, for the proxy never dials in.',
    closed: 'XMPP federation stands still in both directions.',
    open: 'the proxy to the gateway hosts; each has to show a certificate of the internal authority.',
  },
  'int-02': {
    purpose: 'SIP from the next hop to the edge: what the organisation sends out.',
    story:
      'Director or Front End servers send the SIP of users inside to the Access Edge service, with mutual TLS.',
    closed: 'no message, invitation or notification from inside reaches users outside or partners.',
    open:
      'the Access Edge service to the servers named in the document; anybody else fails at the certificate, and no ' +
      'name or address of the inside leaves in a header.',
  },
  'int-03': {
    purpose: 'SIP from the edge to the next hop: what reaches the organisation.',
    story: 'The Access Edge service dials the next hop, the only thing inside that an edge ever dials.',
    closed: 'nobody signs in from outside, and nothing of any partner arrives.',
    open:
      'the SIP port of the next hop to the edge hosts: the one way in for somebody who took an edge over, so ' +
      'narrow it to the members of the next hop.',
  },
  'int-04': {
    purpose: 'Every web conferencing server inside dials the edge.',
    story:
      'The web conferencing service of each Front End dials each edge and keeps the connection; content of ' +
      'participants outside rides on it.',
    closed: 'participants outside see no content in the meetings of a server that cannot connect.',
    open: 'the port to the servers named in the document; each has to show a certificate of the internal authority.',
  },
  'int-05': {
    purpose: 'Requests for relay credentials.',
    story:
      'Front End servers and branch appliances ask the A/V Authentication service for time-limited relay ' +
      'credentials on behalf of users inside and outside (SIP with mutual TLS).',
    closed:
      'no user gets credentials for the relay: calls are set up and stay silent between inside and outside, which ' +
      'clients report as limited external calling.',
    open:
      'what makes relay credentials, to the servers named in the document; each has to show a certificate that ' +
      'policy.avAuthentication.callers names.',
  },
  'int-06': {
    purpose: 'Media between inside and outside over UDP, the preferred way.',
    story:
      'Clients, conferencing and mediation servers and branch appliances inside obtain relay addresses and send ' +
      'media for the outside through the internal address of the A/V Edge service.',
    closed: 'media between inside and outside falls back to TCP 443 and sounds like it.',
    open:
      'the inner side of the relay to the internal networks; without credentials it relays nothing, and into the ' +
      'internal networks never.',
  },
  'int-07': {
    purpose: 'Media over TCP: the fallback of UDP, and always sharing and file transfer.',
    story:
      'Endpoints inside reach the A/V Edge service over TCP for two reasons: when UDP does not pass, and for ' +
      'sharing and file transfer, which know no other transport.',
    closed: 'users inside share no screen and no file with the outside, and media has no fallback.',
    open: 'the inner side of the relay over TCP; without credentials it relays nothing.',
  },
  'int-08': {
    purpose: 'The central management store pushes its changes.',
    story:
      'The server that is master of the central management store pushes each change of the configuration to the ' +
      'replica agent of every edge.',
    closed: 'the edge keeps the last configuration that it got, and replication stays out of date.',
    open: 'a web service that takes configuration, to the servers named in the document.',
  },
  'int-09': LOGGING,
  'int-10': LOGGING,
  'int-11': LOGGING,
  'fed-01': {
    purpose: 'SIP to federated partners, leaving.',
    story: 'The federation table of the port summary names the outbound half; partners arrive by ext-06.',
  },
  'pic-01': {
    purpose: 'SIP of public IM providers, arriving.',
    story: 'Public IM providers dial the Access Edge service as partners do.',
  },
  'pic-02': {
    purpose: 'SIP to public IM providers, leaving.',
    story: 'The Access Edge service dials public IM providers as it dials partners.',
  },
  'pic-03': {
    purpose: 'Users of the organisation sign in from outside.',
    story: 'Nothing in it is particular to public IM: it is the sign-in of our own users.',
  },
  'pic-04': {
    purpose: 'Audio and video with users of public providers.',
    story: 'Media for users of public providers leaves the A/V Edge service from the relay range over TCP.',
  },
  'pic-05': {
    purpose: 'Relay traffic with users of public providers, leaving.',
    story: 'The A/V Edge service sends STUN and media to clients of public providers.',
  },
  'pic-06': {
    purpose: 'Relay traffic with users of public providers, arriving.',
    story: 'Clients of public providers send STUN and media to the A/V Edge service.',
  },
  'xmpp-01': {
    purpose: 'XMPP streams of partners, arriving.',
    story: 'The server-to-server port of XMPP, from partners to the proxy.',
  },
  'xmpp-02': {
    purpose: 'XMPP streams to the servers of partners, leaving.',
    story:
      'The XMPP proxy dials the servers of XMPP partners, to deliver what users inside send and to verify those ' +
      'who called.',
    closed:
      'nothing reaches XMPP partners, and streams of theirs that want to be verified by calling back are not ' +
      'accepted either.',
    open: `${NOTHING_LISTENS} Partners are found by DNS, so any host may be dialled on TCP 5269.`,
  },
  'xmpp-03': {
    purpose: 'The XMPP gateway inside dials the XMPP proxy of each edge.',
    story: 'The gateway on the Front End dials the internal address of each edge.',
  },
  'more-01': {
    purpose: 'Metrics and health, for monitoring on this host.',
    story:
      'The supervisor answers /metrics and /healthz on a loopback address, for a collector that runs on the same ' +
      'host.',
    closed: 'monitoring sees neither metrics nor health of this edge.',
    open: 'figures about the services to every process on this host; it is never bound to another address.',
  },
  'more-03': {
    purpose: 'The clock of the host.',
    story: 'The host asks the time servers that the document names (NTP).',
    closed:
      'the clock drifts until relay credentials expire too early or too late, certificates seem not yet valid, and ' +
      'logs no longer match.',
    open: 'nothing that listens; answers come from the servers that you name only.',
  },
  'more-04': {
    purpose: 'Administrators log in.',
    story: 'Administrators inside log in to the edge host over SSH.',
    closed: 'the host is administered at its console.',
    open: 'the SSH server of the host to the networks that you name, never to the outside.',
  },
  'more-05': {
    purpose: 'Relayed media to the other edges of the pool.',
    story:
      'When the two ends of a call hold relayed addresses on different edges, media leaves the relay range of one ' +
      'for that of the other.',
    closed: 'calls whose ends are served by different edges have no media, which happens to some calls only.',
    open: 'the relay range to the other edges of the pool, and to nobody else.',
  },
  'more-06': {
    purpose: 'Relayed media from the other edges of the pool.',
    story: 'The other half of more-05: media arrives in the relay range from that of another edge.',
    closed: 'calls whose ends are served by different edges have no media, which happens to some calls only.',
    open: 'the relay range to the other edges of the pool, and to nobody else.',
  },
  'more-07': {
    purpose: 'Web services for users outside, through the reverse proxy.',
    story:
      'Clients outside fetch the address book, meeting content, device updates and the meeting pages from the ' +
      'reverse proxy, a machine of its own.',
    closed: 'users outside sign in and talk, but find no address book, no meeting page and no content.',
    open: 'a web server to the whole Internet; it passes on the published paths only, if set up so.',
  },
  'more-08': {
    purpose: 'Plain HTTP at the reverse proxy, to send browsers on to HTTPS.',
    story:
      'Browsers, and clients that look for their server without a certificate for it, begin with plain HTTP.',
    closed: 'who types a meeting address without https gets no page.',
    open: 'a web server without encryption; it should do nothing but redirect.',
  },
  'more-09': {
    purpose: 'The reverse proxy passes HTTPS on to the web services inside.',
    story:
      'What arrives at the reverse proxy on 443 goes to the external web services of the Front End on 4443.',
    closed: 'the reverse proxy answers every request with an error.',
    open: 'the external web services of the servers named in the document, to the reverse proxy.',
  },
  'more-10': {
    purpose: 'The reverse proxy passes HTTP on to the web services inside.',
    story: 'What arrives at the reverse proxy on 80 goes to the web services of the Front End on 8080.',
    closed: 'plain HTTP ends at the reverse proxy; discovery without a certificate fails.',
    open: 'the unencrypted web services of the servers named in the document, to the reverse proxy.',
  },
  'more-11': {
    purpose: 'The reverse proxy passes documents in meetings on.',
    story:
      'Participants outside see presentations through the reverse proxy from the Office Web Apps server.',
    closed: 'participants outside see no presentation.',
    open: 'the Office Web Apps server to the reverse proxy.',
  },
};
