import { type ConferenceInfo, changesOf } from '#protocols/conference';
import type { RosterView } from '../conferences.ts';
import { type Audience, rosterDocument } from './roster-document.ts';

/**
 * The roster of one conference, made into a document once for all who are told of it: with many subscribers most know the same
 * and have to be told the same.
 */
export class SharedRoster {
  readonly #conference: { readonly id: string; readonly domain: string };
  readonly #documents = new Map<Audience, ConferenceInfo>();
  /** By the document that is known, what leads from there to the present one. */
  readonly #changes = new Map<ConferenceInfo, ConferenceInfo | undefined>();

  constructor(conference: { readonly id: string; readonly domain: string }) {
    this.#conference = conference;
  }

  handleChange(): void {
    this.#documents.clear();
    this.#changes.clear();
  }
  /** Of version 0: versions are the subscriptions' own. */
  document(audience: Audience, view: () => RosterView): ConferenceInfo {
    const made = this.#documents.get(audience) ?? rosterDocument(this.#conference, view(), audience);
    this.#documents.set(audience, made);
    return made;
  }
  /** Undefined when there is nothing to tell. */
  changes(known: ConferenceInfo, now: ConferenceInfo): ConferenceInfo | undefined {
    if (!this.#changes.has(known)) this.#changes.set(known, changesOf(known, now));
    return this.#changes.get(known);
  }
}
