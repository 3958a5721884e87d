/** Bounds of the XML of one stream. The same object may be replaced by a wider one once the peer is known. */
export interface XmlLimits {
  /** Bytes of one stanza, or of the stream header with what stands before it. */
  readonly bytes: number;
  /** Elements inside one another within a stanza, the stanza included. */
  readonly depth: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributes: number;
  /** Elements of one stanza. */
  readonly elements: number;
  /** Characters of the name of an element or attribute, prefix included. */
  readonly nameLength: number;
  /** Namespace declarations of one stanza. */
  readonly declarations: number;
}

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
