import type { XmlLimits } from '#protocols/xml';

/** Bounds of a presence or watcher document. */
export interface PresenceLimits extends XmlLimits {
  /** Tuples of one document: devices or ways to reach somebody. */
  readonly tuples: number;
  /** Notes of a tuple or of a document. */
  readonly notes: number;
  /** Characters of a note, URI or id; what is longer is left out, a note is cut. */
  readonly textLength: number;
}

export const presenceLimits: PresenceLimits = {
  bytes: 16_384,
  depth: 12,
  attributes: 24,
  elements: 400,
  nameLength: 128,
  declarations: 64,
  tuples: 20,
  notes: 8,
  textLength: 1_024,
};
