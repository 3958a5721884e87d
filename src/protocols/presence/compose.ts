import type { PresenceDocument, Tuple } from './presence-document.ts';

/** What one device, or the registrar for it, has to say. */
export interface PresenceSource {
  /** Keeps ids of different sources apart when they are the same. */
  readonly name: string;
  readonly document: PresenceDocument;
}

/**
 * Several publications as one document (RFC 3903 §4.3, RFC 3856 §5.1.2): every tuple of every source, the newest source
 * first; ids that clash are prefixed. Notes and activities of the person are those of the newest source that has any.
 */
export function composePresence(entity: string, sources: readonly PresenceSource[]): PresenceDocument {
  const tuples: Tuple[] = [];
  const taken = new Set<string>();
  for (const { name, document } of sources) {
    for (const tuple of document.tuples) {
      const id = taken.has(tuple.id) ? unusedId(`${name}.${tuple.id}`, taken) : tuple.id;
      taken.add(id);
      tuples.push({ ...tuple, id });
    }
  }
  const documents = sources.map(({ document }) => document);
  return {
    entity,
    tuples,
    notes: documents.find(({ notes }) => notes.length > 0)?.notes ?? [],
    activities: documents.find(({ activities }) => activities.length > 0)?.activities ?? [],
  };
}

function unusedId(wanted: string, taken: ReadonlySet<string>): string {
  let id = wanted;
  for (let number = 2; taken.has(id); number++) id = `${wanted}.${number}`;
  return id;
}

/** Somebody who cannot be reached, or who shall not be seen to be reachable. */
export function offlinePresence(entity: string): PresenceDocument {
  return {
    entity,
    tuples: [{ id: 'offline', basic: 'closed', notes: [] }],
    notes: [],
    activities: [],
  };
}
