import type { Place } from '#protocols/conference';
import type { SessionTransport } from '#protocols/meeting-session';
import { openWebSocket } from './open-web-socket.ts';

/** Channels of a page: SIP and PSOM over WebSockets. */
export function webTransport(signalling: string): SessionTransport {
  return {
    signalling: 'WSS',
    openSignalling: (user) => openWebSocket(signalling, 'sip', user),
    openPlace: (place: Place, user) => openWebSocket(place.webSocket, 'sallyport-psom.1', user),
  };
}
