import { err, ok, type Result } from '#kernel';
import {
  child,
  children,
  element,
  readXmlDocument,
  textOf,
  writeXmlDocument,
  type XmlElement,
  type XmlProblem,
} from '#protocols/xml';
import { type PresenceLimits, presenceLimits } from './limits.ts';
import { type Note, type PresenceDocument, type Show, shows, type Tuple } from './presence-document.ts';

export const PIDF_TYPE = 'application/pidf+xml';

const PIDF = 'urn:ietf:params:xml:ns:pidf';
const DATA_MODEL = 'urn:ietf:params:xml:ns:pidf:data-model';
const RPID = 'urn:ietf:params:xml:ns:pidf:rpid';
const XMPP = 'jabber:client';

/** Why a presence document is refused. */
export type PidfProblem = XmlProblem | 'not-pidf' | 'entity' | 'tuple' | 'too-many-tuples';

const XML_ID = /^[\p{L}_][\p{L}\p{N}._-]*$/u;
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/;
const PRIORITY = /^(?:0(?:\.\d{1,3})?|1(?:\.0{1,3})?)$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/;
const ACTIVITY = /^[a-z][a-z-]{0,31}$/;
const MOST_ACTIVITIES = 8;

/** Reads the document of RFC 3863 §4.1, with what RFC 8048 §6.2 and RFC 4480 §3.2 add to it. */
export function readPidf(
  bytes: Uint8Array,
  limits: PresenceLimits = presenceLimits,
): Result<PresenceDocument, PidfProblem> {
  const read = readXmlDocument(bytes, limits);
  if (!read.ok) return read;
  const root = read.value;
  if (root.name !== 'presence' || root.namespace !== PIDF) return err('not-pidf');
  const entity = readUri(root.attributes.get('entity'), limits);
  if (entity === undefined) return err('entity');
  const found = children(root, 'tuple', PIDF);
  if (found.length > limits.tuples) return err('too-many-tuples');
  const tuples: Tuple[] = [];
  for (const each of found) {
    const tuple = readTuple(each, limits);
    if (tuple === undefined || tuples.some(({ id }) => id === tuple.id)) return err('tuple');
    tuples.push(tuple);
  }
  const persons = children(root, 'person', DATA_MODEL);
  const activities = [...new Set(persons.flatMap(readActivities))].slice(0, MOST_ACTIVITIES);
  const notes = [root, ...persons].flatMap((holder) => readNotes(holder, limits)).slice(0, limits.notes);
  return ok({ entity, tuples, notes, activities });
}

/** RFC 3863 §4.1.2; undefined when it breaks the schema. */
function readTuple(tuple: XmlElement, limits: PresenceLimits): Tuple | undefined {
  const id = tuple.attributes.get('id') ?? '';
  const status = child(tuple, 'status', PIDF);
  if (!XML_ID.test(id) || id.length > limits.textLength || status === undefined) return undefined;
  const basic = child(status, 'basic', PIDF);
  const word = basic === undefined ? 'open' : textOf(basic).trim();
  if (word !== 'open' && word !== 'closed') return undefined;
  const show = readShow(status);
  const activities = [...readActivities(status), ...readActivities(tuple)].slice(0, MOST_ACTIVITIES);
  const contact = readContact(tuple, limits);
  const timestamp = textOf(child(tuple, 'timestamp', PIDF) ?? NOTHING).trim();
  return {
    id,
    basic: word,
    ...(show === undefined ? {} : { show }),
    ...(activities.length === 0 ? {} : { activities }),
    ...(contact === undefined ? {} : { contact }),
    notes: readNotes(tuple, limits),
    ...(TIMESTAMP.test(timestamp) ? { timestamp } : {}),
  };
}

const NOTHING = element(PIDF, 'nothing');

function readShow(status: XmlElement): Show | undefined {
  const found = child(status, 'show', XMPP);
  const word = found === undefined ? undefined : textOf(found).trim();
  return shows.find((show) => show === word);
}

/** RFC 4480 §3.2: the names of the elements are the activities; some clients write them as text of `activity`. */
function readActivities(holder: XmlElement): string[] {
  const found: string[] = [];
  for (const list of holder.children) {
    if (typeof list === 'string' || list.name !== 'activities') continue;
    for (const item of list.children) {
      if (typeof item === 'string' || item.name === 'note') continue;
      const word = item.name === 'activity' ? textOf(item).trim() : item.name;
      if (ACTIVITY.test(word) && !found.includes(word)) found.push(word);
    }
  }
  return found;
}

function readContact(tuple: XmlElement, limits: PresenceLimits): Tuple['contact'] {
  const found = child(tuple, 'contact', PIDF);
  const uri = found === undefined ? undefined : readUri(textOf(found).trim(), limits);
  if (found === undefined || uri === undefined) return undefined;
  const priority = found.attributes.get('priority')?.trim() ?? '';
  return { uri, ...(PRIORITY.test(priority) ? { priority: Number(priority) } : {}) };
}

function readUri(text: string | undefined, limits: PresenceLimits): string | undefined {
  return text !== undefined && text.length <= limits.textLength && URI.test(text) ? text : undefined;
}

function readNotes(holder: XmlElement, limits: PresenceLimits): Note[] {
  const notes: Note[] = [];
  for (const item of holder.children) {
    if (typeof item === 'string' || item.name !== 'note' || notes.length >= limits.notes) continue;
    const text = [...textOf(item)].slice(0, limits.textLength).join('');
    const language = item.attributes.get('xml:lang') ?? '';
    notes.push({ text, ...(LANGUAGE.test(language) ? { language } : {}) });
  }
  return notes;
}

/** Writes the document in the order that the schema of RFC 3863 §4.4 wants. */
export function writePidf(document: PresenceDocument): Buffer {
  const { entity, tuples, notes, activities } = document;
  const person =
    activities.length === 0
      ? []
      : [element(DATA_MODEL, 'person', { id: 'person' }, [activitiesOf(activities)])];
  return writeXmlDocument(
    element(PIDF, 'presence', { entity }, [
      ...tuples.map(tupleElement),
      ...notes.map(noteElement),
      ...person,
    ]),
  );
}

function tupleElement({ id, basic, show, activities, contact, notes, timestamp }: Tuple): XmlElement {
  const status = [
    element(PIDF, 'basic', {}, [basic]),
    ...(show === undefined ? [] : [element(XMPP, 'show', {}, [show])]),
    ...(activities === undefined ? [] : [activitiesOf(activities)]),
  ];
  const priority = contact?.priority;
  return element(PIDF, 'tuple', { id }, [
    element(PIDF, 'status', {}, status),
    ...(contact === undefined
      ? []
      : [
          element(PIDF, 'contact', { priority: priority === undefined ? undefined : decimal(priority) }, [
            contact.uri,
          ]),
        ]),
    ...notes.map(noteElement),
    ...(timestamp === undefined ? [] : [element(PIDF, 'timestamp', {}, [timestamp])]),
  ]);
}

function activitiesOf(activities: readonly string[]): XmlElement {
  return element(
    RPID,
    'activities',
    {},
    activities.map((name) => element(RPID, name)),
  );
}

function noteElement({ text, language }: Note): XmlElement {
  return element(PIDF, 'note', { 'xml:lang': language }, text === '' ? [] : [text]);
}

/** At most three decimals (RFC 3863 §4.1.6). */
function decimal(value: number): string {
  return `${Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000}`;
}
