import { isIPv6 } from 'node:net';
import { formatSdp, parseSdp } from '#protocols/sdp';

const ACCEPTED = 'text/plain text/html multipart/alternative application/im-iscomposing+xml';

/** What a session of messages over SIP itself is described by: no connection is ever made to this port. */
export function messageSession(address: string, id: number): Buffer {
  const connection = {
    addressType: isIPv6(address) ? ('IP6' as const) : ('IP4' as const),
    address,
  };
  return formatSdp({
    origin: { username: '-', sessionId: `${id}`, sessionVersion: '0', address: connection },
    name: '-',
    connection,
    times: ['0 0'],
    attributes: [],
    media: [
      {
        kind: 'message',
        port: 5060,
        protocol: 'sip',
        formats: ['null'],
        attributes: [{ name: 'accept-types', value: ACCEPTED }],
      },
    ],
  });
}

/** True for an offer of nothing but such a session. */
export function offersMessages(body: Uint8Array): boolean {
  const parsed = parseSdp(body);
  if (!parsed.ok || parsed.value.media.length === 0) return false;
  return parsed.value.media.every(
    ({ kind, protocol, port }) => kind === 'message' && protocol.toLowerCase() === 'sip' && port > 0,
  );
}
