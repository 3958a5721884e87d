import {
  type AddressFamily,
  AttributeType,
  encodeAddressFamily,
  encodeChannelNumber,
  encodeLifetime,
  encodeMessageIntegrity,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  MessageClass,
  Method,
  type StunWriter,
  type TransportAddress,
  TransportProtocol,
} from '#protocols/stun';

/** What a request of the client is for; enough to write it again after a challenge. */
export type ClientRequest =
  | {
      readonly kind: 'allocate';
      readonly family: AddressFamily | undefined;
      readonly lifetime: number | undefined;
    }
  | { readonly kind: 'refresh'; readonly lifetime: number | undefined }
  | { readonly kind: 'deallocate' }
  | { readonly kind: 'permission'; readonly peer: TransportAddress }
  | { readonly kind: 'channel'; readonly channel: number; readonly peer: TransportAddress };

/** Long-term credentials with the server's current challenge. */
export interface Credentials {
  readonly username: Uint8Array;
  readonly realm: Uint8Array;
  readonly nonce: Uint8Array;
  readonly key: Uint8Array;
}

const methods = {
  allocate: Method.Allocate,
  refresh: Method.Refresh,
  deallocate: Method.Refresh,
  permission: Method.CreatePermission,
  channel: Method.ChannelBind,
} as const;

/**
 * Writes the request into `buffer`, with credentials once the server has asked for them.
 * @returns the request, a view of `buffer`
 */
export function writeRequest(
  writer: StunWriter,
  buffer: Uint8Array,
  transactionId: Uint8Array,
  request: ClientRequest,
  credentials: Credentials | undefined,
): Uint8Array {
  writer.begin(buffer, methods[request.kind], MessageClass.Request, transactionId);
  writeAttributes(writer, request);
  if (credentials !== undefined) {
    encodeText(writer, AttributeType.Username, credentials.username);
    encodeText(writer, AttributeType.Realm, credentials.realm);
    encodeText(writer, AttributeType.Nonce, credentials.nonce);
    encodeMessageIntegrity(writer, credentials.key);
  }
  return writer.bytes;
}

function writeAttributes(writer: StunWriter, request: ClientRequest): void {
  switch (request.kind) {
    case 'allocate':
      encodeRequestedTransport(writer, TransportProtocol.Udp);
      if (request.family !== undefined) {
        encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, request.family);
      }
      if (request.lifetime !== undefined) encodeLifetime(writer, request.lifetime);
      break;
    case 'refresh':
      if (request.lifetime !== undefined) encodeLifetime(writer, request.lifetime);
      break;
    case 'deallocate':
      encodeLifetime(writer, 0);
      break;
    case 'permission':
      encodeXorAddress(writer, AttributeType.XorPeerAddress, request.peer.address, request.peer.port);
      break;
    case 'channel':
      encodeChannelNumber(writer, request.channel);
      encodeXorAddress(writer, AttributeType.XorPeerAddress, request.peer.address, request.peer.port);
      break;
  }
}
