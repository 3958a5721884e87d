import type { Catalogue } from './entry.ts';

/** Errors of STUN, TURN, relay credentials and the A/V services (SLP-AV-nnnn). */
export const mediaErrors = {
  'SLP-AV-0101': {
    blame: 'operator',
    summary: 'a network in the peer policy of the relay cannot be read',
    remedy: 'Write an IP address, or a range such as 192.0.2.0/24 or 2001:db8::/32.',
  },
  'SLP-AV-0102': {
    blame: 'peer',
    summary: 'the relay server did not answer',
    remedy:
      'Check that the server address is right and that UDP to its port passes the firewalls on the way.',
  },
  'SLP-AV-0103': {
    blame: 'peer',
    summary: 'the relay server answered, but without a valid integrity check',
    remedy: 'The password is wrong, or something on the way changes the answers. Ask for fresh credentials.',
  },
  'SLP-AV-0104': {
    blame: 'peer',
    summary: 'the relay server refused the credentials',
    remedy:
      'Ask for fresh credentials; if these are fresh, compare the clocks and the keys of issuer and relay.',
  },
  'SLP-AV-0105': {
    blame: 'peer',
    summary: 'the relay server refused the request',
    remedy:
      'The error code says why: 403 the peer is not allowed, 437 the allocation is gone, 486 the quota is used up, 508 no room.',
  },
  'SLP-AV-0106': {
    blame: 'peer',
    summary: 'the relay server sent us to another server',
    remedy: 'Allocate at the server that the message names.',
  },
  'SLP-AV-0107': {
    blame: 'peer',
    summary: 'the relay server sent an answer that does not make sense',
    remedy: 'The server does not follow RFC 8656. Keep a packet capture and report it to its makers.',
  },
  'SLP-AV-0201': {
    blame: 'operator',
    summary: 'a media key file is not usable',
    remedy:
      'A media key file holds the base64 text of 32 random bytes, for example from `openssl rand -base64 32`. Every edge of a pool needs the same file.',
  },
  'SLP-AV-0202': {
    blame: 'operator',
    summary: 'a static relay secret file is not usable',
    remedy:
      'A secret file holds one line of 16 to 512 bytes, the same text as `static-auth-secret` elsewhere.',
  },
  'SLP-AV-0203': {
    blame: 'operator',
    summary: 'a media credential file cannot be read',
    remedy: 'See that the file exists and that the user named by host.runAs may read it.',
  },
  'SLP-AV-0206': {
    blame: 'operator',
    summary: 'the relayed addresses moved, so that no allocation could stay',
    remedy:
      'Clients allocate again by themselves. Change the A/V address or the relay range when few calls run.',
  },
  'SLP-AV-0209': {
    blame: 'operator',
    summary: 'this system has no threads for the relay',
    remedy:
      'They need Linux and the runtime that Sallyport is shipped with. Write host.workers.av: 1, or install that one.',
  },
  'SLP-AV-0208': {
    blame: 'self',
    summary: 'a thread of the relay ended',
    remedy:
      'Nothing has to be done: calls go on, and another thread is started. Please report it with the cause that stands beside.',
  },
  'SLP-AV-0401': {
    blame: 'operator',
    summary: 'the clocks of an edge and of this host differ',
    remedy:
      'Credentials end by the clock of the edge that they are shown to. Let both follow a time server; host.timeServers opens the way.',
  },
  'SLP-AV-0402': {
    blame: 'operator',
    summary: 'the media key cannot be rolled now',
    remedy:
      'Wait until the newest key is in use and the oldest ones have ended; `sallyport keys show` says when.',
  },
  'SLP-AV-0403': {
    blame: 'operator',
    summary: 'a transport of the media relay does not work',
    remedy:
      'See with `sallyport status` that the A/V Edge service runs, and with `sallyport port-summary` that the port is the planned one; then look at what filters it on this host.',
  },
  'SLP-AV-0404': {
    blame: 'operator',
    summary: 'the media relay shows a certificate that does not name it',
    remedy: 'Ask for a certificate with the names that `sallyport certificates` lists, and reload.',
  },
  'SLP-AV-0405': {
    blame: 'operator',
    summary: 'no edge issued relay credentials',
    remedy:
      'See that the A/V Authentication service of the edges in frontEnd.edges runs, and that policy.avAuthentication.callers there lists a name of this host.',
  },
  'SLP-AV-0207': {
    blame: 'operator',
    summary: 'a server that is not among the callers asked for relay credentials',
    remedy: 'If it should get them, list a name of its certificate under policy.avAuthentication.callers.',
  },
  'SLP-AV-0550': {
    blame: 'self',
    summary: 'relay credentials could not be made',
    remedy: 'The caller was answered Internal Server Error. Report it with the log line; nothing was issued.',
  },
} as const satisfies Catalogue;
