/** Bounds of what is read at a time: a document, or each stanza of a stream. */
export interface XmlLimits {
  /** Bytes of one item: a document, a stanza, or the header of a stream with what stands before it. */
  readonly bytes: number;
  /** Elements inside one another, the item included. */
  readonly depth: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributes: number;
  /** Elements of one item. */
  readonly elements: number;
  /** Characters of the name of an element or attribute, prefix included. */
  readonly nameLength: number;
  /** Namespace declarations of one item. */
  readonly declarations: number;
}
