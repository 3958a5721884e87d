import type { XmlLimits } from '#protocols/xml';

/** Before the peer has shown who it is. */
export const strangerLimits: XmlLimits = {
  bytes: 10_000,
  depth: 8,
  attributes: 16,
  elements: 64,
  nameLength: 128,
  declarations: 32,
};

/** For peers that are known. RFC 6120 §13.12 wants stanzas of 10,000 bytes accepted at least. */
export const partnerLimits: XmlLimits = {
  bytes: 65_536,
  depth: 32,
  attributes: 32,
  elements: 1000,
  nameLength: 256,
  declarations: 200,
};

/** On the link between proxy and gateway: whatever a partner may send, written anew (`fitsLink`). */
export const linkLimits: XmlLimits = {
  bytes: 524_288,
  depth: 33,
  attributes: 72,
  elements: 1001,
  nameLength: 256,
  declarations: 2000,
};
