import { readPidf, type Show, type Tuple, writePidf } from '#protocols/presence';
import { languageTag } from './chat-message.ts';
import { type DevicePresence, priorityOf, qualityOf } from './presence.ts';

/** An xs:ID may not begin with a digit, a resource may (RFC 8048 §6). */
const ID_PREFIX = 'ID-';
const LONGEST_RESOURCE = 128;

/** RPID (RFC 4480 §3.2): what of it says away or busy to those who know no more than these words. */
const SHOWS: Readonly<Record<string, Show>> = {
  away: 'away',
  meal: 'away',
  steering: 'away',
  'permanent-absence': 'xa',
  sleeping: 'xa',
  travel: 'xa',
  vacation: 'xa',
  holiday: 'xa',
  appointment: 'dnd',
  busy: 'dnd',
  meeting: 'dnd',
  'on-the-phone': 'dnd',
  performance: 'dnd',
  presentation: 'dnd',
  worship: 'dnd',
};
const ACTIVITIES: Readonly<Record<Show, readonly string[]>> = {
  away: ['away'],
  xa: ['away'],
  dnd: ['busy'],
  chat: [],
};

/**
 * The document (RFC 3863) of what an XMPP user's devices say, the most interesting first: some readers see no other.
 * @param entity the user's SIP address
 */
export function writePresenceDocument(entity: string, devices: readonly DevicePresence[]): Buffer {
  const tuples = [...devices].sort(byInterest).map((device) => tupleOf(entity, device));
  return writePidf({ entity, tuples, notes: [], activities: [] });
}

function byInterest(a: DevicePresence, b: DevicePresence): number {
  return Number(b.available) - Number(a.available) || (b.priority ?? -1) - (a.priority ?? -1);
}

function tupleOf(uri: string, { resource, available, show, status, priority }: DevicePresence): Tuple {
  const activities = show === undefined ? [] : ACTIVITIES[show];
  const language = status?.language;
  return {
    id: tupleId(resource),
    basic: available ? 'open' : 'closed',
    ...(show === undefined || !available ? {} : { show }),
    // For those who do not know `show`.
    ...(activities.length === 0 || !available ? {} : { activities }),
    contact: { uri, ...(priority === undefined ? {} : { priority: qualityOf(priority) }) },
    notes:
      status === undefined ? [] : [{ text: status.text, ...(language === undefined ? {} : { language }) }],
  };
}

/** RFC 8048 §6; characters that an xs:ID cannot have are written by their numbers. */
function tupleId(resource: string | undefined): string {
  const characters = [...(resource ?? '')].slice(0, LONGEST_RESOURCE);
  const written = characters.map((character) =>
    /[\p{L}\p{Nd}.-]/u.test(character) ? character : `_${character.codePointAt(0)?.toString(16)}_`,
  );
  return ID_PREFIX + written.join('');
}
function resourceOf(id: string): string | undefined {
  const bare = id.startsWith(ID_PREFIX) ? id.slice(ID_PREFIX.length) : id;
  const read = bare.replace(/_([0-9a-f]{1,6})_/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    const known = code > 0x1f && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return known ? String.fromCodePoint(code) : whole;
  });
  return read === '' ? undefined : read;
}

/** What a document says, a tuple a device; undefined when it is none. */
export function readPresenceDocument(body: Uint8Array): DevicePresence[] | undefined {
  const document = readPidf(body);
  if (!document.ok) return undefined;
  const { tuples, activities, notes } = document.value;
  const person = showOf(activities);
  return tuples.map((tuple) => {
    const { id, basic, show, contact } = tuple;
    const note = tuple.notes[0] ?? notes[0];
    const available = basic === 'open';
    const quality = contact?.priority;
    return {
      resource: resourceOf(id),
      available,
      show: available ? (show ?? showOf(tuple.activities ?? []) ?? person) : undefined,
      status: note === undefined ? undefined : { text: note.text, language: languageTag(note.language) },
      priority: quality === undefined ? undefined : priorityOf(quality),
    };
  });
}

function showOf(activities: readonly string[]): Show | undefined {
  for (const activity of activities) {
    const show = SHOWS[activity];
    if (show !== undefined) return show;
  }
  return undefined;
}
