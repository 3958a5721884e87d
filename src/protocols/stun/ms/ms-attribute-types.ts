/** Attribute types of the Microsoft dialect ([MS-TURN] §2.2.2). NONCE and REALM are swapped against RFC 8489. */
export const MsAttributeType = {
  MappedAddress: 0x0001,
  Username: 0x0006,
  MessageIntegrity: 0x0008,
  ErrorCode: 0x0009,
  UnknownAttributes: 0x000a,
  Lifetime: 0x000d,
  AlternateServer: 0x000e,
  MagicCookie: 0x000f,
  Bandwidth: 0x0010,
  DestinationAddress: 0x0011,
  RemoteAddress: 0x0012,
  Data: 0x0013,
  Nonce: 0x0014,
  Realm: 0x0015,
  RequestedAddressFamily: 0x0017,
  MsVersion: 0x8008,
  XorMappedAddress: 0x8020,
  MsSequenceNumber: 0x8050,
} as const;

/** Message types, whole: this dialect has no class bits ([MS-TURN] §2.2.1). */
export const MsMessageType = {
  AllocateRequest: 0x0003,
  AllocateResponse: 0x0103,
  AllocateError: 0x0113,
  SendRequest: 0x0004,
  DataIndication: 0x0115,
  SetActiveDestinationRequest: 0x0006,
  SetActiveDestinationResponse: 0x0106,
  SetActiveDestinationError: 0x0116,
} as const;

/** Error codes of this dialect beside those of RFC 8489 and RFC 8656. */
export const MsErrorCode = {
  TryAlternate: 300,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  UnknownAttribute: 420,
  StaleCredentials: 430,
  IntegrityCheckFailure: 431,
  MissingUsername: 432,
  MissingRealm: 434,
  MissingNonce: 435,
  UnknownUser: 436,
  NoBinding: 437,
  StaleNonce: 438,
  NoDestination: 440,
  WrongUsername: 441,
  QuotaReached: 486,
  ServerError: 500,
  InsufficientCapacity: 508,
} as const;

export type MsErrorCode = (typeof MsErrorCode)[keyof typeof MsErrorCode];
