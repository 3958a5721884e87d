import type { Row, Store } from '#platform/store';
import type { ContentType } from '#protocols/psom';
import type {
  AnnotationRecord,
  Change,
  ContentRecord,
  MeetingRecord,
  SlideRecord,
  VoteRecord,
} from '../meeting/records.ts';

type ContentChange = Extract<
  Change,
  {
    kind:
      | 'content'
      | 'content-gone'
      | 'slide'
      | 'annotation'
      | 'extended'
      | 'erased'
      | 'vote'
      | 'votes-cleared';
  }
>;

/** Writes down what became of one content. */
export function contentChange(store: Store, id: string, change: ContentChange): void {
  switch (change.kind) {
    case 'content':
      return putContent(store, id, change.record);
    case 'content-gone':
      store.command('DELETE FROM content WHERE conference = ? AND id = ?').run(id, change.content);
      return;
    case 'slide':
      return putSlide(store, id, change.record);
    case 'annotation':
      return putAnnotation(store, id, change.record);
    case 'extended':
      store
        .command('INSERT INTO extension (conference, content, sequence, points) VALUES (?, ?, ?, ?)')
        .run(id, change.content, change.sequence, packed(change.points));
      return;
    case 'erased':
      store
        .command('DELETE FROM annotation WHERE conference = ? AND content = ? AND sequence = ?')
        .run(id, change.content, change.sequence);
      return;
    case 'vote': {
      const { content, voter, choices } = change.record;
      store
        .command('INSERT OR REPLACE INTO vote VALUES (?, ?, ?, ?)')
        .run(id, content, voter, packed(choices));
      return;
    }
    case 'votes-cleared':
      store.command('DELETE FROM vote WHERE conference = ? AND content = ?').run(id, change.content);
  }
}

export function loadContents(
  store: Store,
  id: string,
): Pick<MeetingRecord, 'contents' | 'slides' | 'annotations' | 'votes'> {
  const all = <T>(sql: string, read: (row: Row) => T): T[] => store.query(sql, read).all(id);
  const added = new Map<string, number[]>();
  all('SELECT content, sequence, points FROM extension WHERE conference = ? ORDER BY id', (row) => {
    const key = `${row.content} ${row.sequence}`;
    const points = added.get(key) ?? [];
    for (const value of unpacked(row.points)) points.push(value);
    added.set(key, points);
  });
  const annotation = (row: Row): AnnotationRecord => {
    const record = readAnnotation(row);
    const more = added.get(`${record.content} ${record.sequence}`);
    return more === undefined ? record : { ...record, points: [...record.points, ...more] };
  };
  return {
    contents: all('SELECT * FROM content WHERE conference = ? ORDER BY id', readContent),
    slides: all('SELECT * FROM slide WHERE conference = ? ORDER BY content, slide', readSlide),
    annotations: all('SELECT * FROM annotation WHERE conference = ? ORDER BY content, sequence', annotation),
    votes: all('SELECT * FROM vote WHERE conference = ?', readVote),
  };
}

function putContent(store: Store, id: string, record: ContentRecord): void {
  // An upsert, since to replace the row would take along what hangs below it.
  const sql = `INSERT INTO content VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (conference, id) DO UPDATE SET title = excluded.title, visibility = excluded.visibility,
      place = excluded.place, last_used = excluded.last_used, location = excluded.location,
      question = excluded.question, choices = excluded.choices, several = excluded.several,
      open = excluded.open, results_shown = excluded.results_shown`;
  const { title, type, owner, ownerIdentity, visibility, order, created, lastUsed, file } = record;
  store
    .command(sql)
    .run(
      ...[id, record.id, type, title, owner, ownerIdentity, visibility, order, created, lastUsed],
      ...[file?.name ?? null, file?.hash ?? null, file?.size ?? null, file?.type ?? null, record.location],
      ...[record.question, JSON.stringify(record.choices), Number(record.several), Number(record.open)],
      Number(record.resultsShown),
    );
}
function putSlide(store: Store, id: string, { content, slide, hash, size, type }: SlideRecord): void {
  store
    .command('INSERT OR REPLACE INTO slide VALUES (?, ?, ?, ?, ?, ?)')
    .run(id, content, slide, hash, size, type);
}
function putAnnotation(store: Store, id: string, record: AnnotationRecord): void {
  const { content, sequence, author, number, page, kind, colour, width, points, text } = record;
  store
    .command('INSERT INTO annotation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(id, content, sequence, author, number, page, kind, colour, width, packed(points), text);
}

function readContent(row: Row): ContentRecord {
  const { file_name: name, file_hash: hash, file_size: size, file_type: type } = row;
  const file =
    hash === null
      ? undefined
      : { name: String(name), hash: String(hash), size: Number(size), type: String(type) };
  return {
    id: Number(row.id),
    type: String(row.type) as ContentType,
    title: String(row.title),
    owner: Number(row.owner),
    ownerIdentity: String(row.owner_identity),
    visibility: Number(row.visibility),
    order: Number(row.place),
    created: Number(row.created),
    lastUsed: Number(row.last_used),
    file,
    location: Number(row.location),
    question: String(row.question),
    choices: JSON.parse(String(row.choices)) as string[],
    several: row.several === 1,
    open: row.open === 1,
    resultsShown: row.results_shown === 1,
  };
}
function readSlide(row: Row): SlideRecord {
  const { content, slide, hash, size, type } = row;
  return {
    content: Number(content),
    slide: Number(slide),
    hash: String(hash),
    size: Number(size),
    type: String(type),
  };
}
function readAnnotation(row: Row): AnnotationRecord {
  return {
    content: Number(row.content),
    sequence: Number(row.sequence),
    author: Number(row.author),
    number: Number(row.number),
    page: Number(row.page),
    kind: Number(row.kind),
    colour: Number(row.colour),
    width: Number(row.width),
    points: unpacked(row.points),
    text: String(row.text),
  };
}
function readVote(row: Row): VoteRecord {
  return { content: Number(row.content), voter: String(row.voter), choices: unpacked(row.choices) };
}

/** Int32, big-endian. */
function packed(values: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, index * 4);
  return bytes;
}
function unpacked(blob: unknown): number[] {
  const bytes = Buffer.from(blob as Uint8Array);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readInt32BE(index * 4));
}
