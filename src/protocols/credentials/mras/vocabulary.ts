/** Content-Type of requests and responses ([MS-AVEDGEA] §2.1). */
export const MRAS_CONTENT_TYPE = 'application/msrtc-media-relay-auth+xml';
export const MRAS_NAMESPACE = 'http://schemas.microsoft.com/2006/09/sip/mrasp';
/** Version that responses of this server name as its own. */
export const MRAS_SERVER_VERSION = '2.0';

/** On which side of the perimeter the client stands. */
export type MrasLocation = 'internet' | 'intranet';
/** How the client wants relays named: by pool name, or by the address of one edge. */
export type MrasRoute = 'loadbalanced' | 'directip';

/** Every reasonPhrase of a response ([MS-AVEDGEA] §2.2). */
export const mrasReasons = [
  'OK',
  'Request Malformed',
  'Request Too Large',
  'Not Supported',
  'Server Busy',
  'Time Out',
  'Forbidden',
  'Internal Server Error',
  'Other Failure',
  'Version Mismatch',
] as const;
export type MrasReason = (typeof mrasReasons)[number];
