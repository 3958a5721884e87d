import type { Place } from '#protocols/conference';

/** A connection that the session asked for. */
export interface Channel {
  /** Only between onOpen and onClose. In a channel of messages each call is one. */
  send(bytes: Uint8Array): void;
  /** onClose follows, unless it was called already. */
  close(): void;
}

export interface ChannelUser {
  onOpen(): void;
  /** A message, or a part of the stream. */
  onData(bytes: Uint8Array): void;
  /** Once; also when it could never be opened. */
  onClose(): void;
}

/** How a session reaches the world: WebSockets in a browser, TLS or WebSockets in Node. Channels call back later, never at once. */
export interface SessionTransport {
  /** What the signalling channel is: messages, or a stream. */
  readonly signalling: 'WSS' | 'TLS';
  openSignalling(user: ChannelUser): Channel;
  openPlace(place: Place, user: ChannelUser): Channel;
}
