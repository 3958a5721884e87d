/** STUN methods (registry `stun-methods.csv`). Names are the registry's. */
export const Method = {
  Binding: 0x001,
  Allocate: 0x003,
  Refresh: 0x004,
  Send: 0x006,
  Data: 0x007,
  CreatePermission: 0x008,
  ChannelBind: 0x009,
  Connect: 0x00a,
  ConnectionBind: 0x00b,
  ConnectionAttempt: 0x00c,
} as const;

/** Message classes, the two bits C1 C0 of RFC 8489 §5. */
export const MessageClass = { Request: 0, Indication: 1, Success: 2, Error: 3 } as const;

export type MessageClass = (typeof MessageClass)[keyof typeof MessageClass];

/** The 14-bit message type: method bits with the class bits between them (RFC 8489 §5 figure 3). */
export function messageType(method: number, messageClass: MessageClass): number {
  const spread = (method & 0x00f) | ((method & 0x070) << 1) | ((method & 0xf80) << 2);
  return spread | ((messageClass & 1) << 4) | ((messageClass & 2) << 7);
}

export function methodOf(type: number): number {
  return (type & 0x00f) | ((type >> 1) & 0x070) | ((type >> 2) & 0xf80);
}

export function messageClassOf(type: number): MessageClass {
  return (((type >> 4) & 1) | ((type >> 7) & 2)) as MessageClass;
}
