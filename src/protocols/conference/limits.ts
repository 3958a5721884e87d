import type { XmlLimits } from '#protocols/xml';

/** Bounds of a conference-info document. */
export interface ConferenceInfoLimits extends XmlLimits {
  readonly users: number;
  /** Endpoints, and roles, of one user. */
  readonly endpoints: number;
  /** Characters of a URI, name or subject. */
  readonly textLength: number;
}

/** A full document of a thousand participants passes. */
export const conferenceInfoLimits: ConferenceInfoLimits = {
  bytes: 1_048_576,
  depth: 12,
  attributes: 24,
  elements: 20_000,
  nameLength: 128,
  declarations: 64,
  users: 2_000,
  endpoints: 16,
  textLength: 1_024,
};
