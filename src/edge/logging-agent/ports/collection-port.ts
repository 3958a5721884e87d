import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Failure, failure } from '#kernel';
import { matcherOf, type SearchQuery } from '#protocols/log-query';
import type { Intake } from '../intake/intake.ts';
import type { LogStore } from '../store/log-store.ts';
import { eventIn, Segment } from '../store/segment.ts';
import { EventBatch } from './batch.ts';
import type { PortRequest, Reply } from './session.ts';

export interface CollectionParts {
  readonly store: LogStore;
  readonly intake: Intake;
}

const CHUNK_BYTES = 65_536;
const ROWS = 200;

/** Port row int-11: whole segments, and events while they come. */
export async function answerCollection(
  request: PortRequest,
  reply: Reply,
  parts: CollectionParts,
): Promise<Failure | undefined> {
  const { id } = request;
  parts.intake.flush();
  switch (request.type) {
    case 'list': {
      const { store } = parts;
      const segments = store.segments.slice(-1000).map(({ first, from, to, events, bytes }) => {
        return { segment: first, from, to, events, bytes, open: first === store.openSegment };
      });
      await reply.send({ type: 'segments', id, segments });
      return undefined;
    }
    case 'copy':
      return copy(request, reply, parts);
    case 'follow':
      return follow(request, reply, parts);
    default:
      return failure('SLP-LOG-0002', `${request.type} belongs to another port`);
  }
}

async function copy(
  { id, segment: first, offset }: PortRequest & { type: 'copy' },
  reply: Reply,
  { store }: CollectionParts,
): Promise<Failure | undefined> {
  const facts = store.segments.find((candidate) => candidate.first === first);
  if (facts === undefined || facts.events === 0) return failure('SLP-LOG-0011', `segment ${first}`);
  const segment = Segment.read(store.folder, facts);
  const hash = createHash('sha256');
  let at = 0;
  let chunk: Buffer[] = [];
  let size = 0;
  const give = async (): Promise<void> => {
    const octets = Buffer.concat(chunk);
    chunk = [];
    size = 0;
    for (let from = 0; from < octets.length; from += CHUNK_BYTES)
      await reply.octets(octets.subarray(from, from + CHUNK_BYTES));
  };
  try {
    for (let row = first - 1; row < facts.last && !reply.signal.aborted; ) {
      const rows = segment.after(row, ROWS).filter((event) => event.id <= facts.last);
      if (rows.length === 0) break;
      for (const event of rows) {
        const line = Buffer.from(`${event.json}\n`);
        hash.update(line);
        const from = Math.max(0, Math.min(line.length, offset - at));
        at += line.length;
        row = event.id;
        if (from === line.length) continue;
        chunk.push(line.subarray(from));
        size += line.length - from;
        if (size >= CHUNK_BYTES) await give();
      }
      await nextTurn();
    }
  } finally {
    segment.close();
  }
  await give();
  if (reply.signal.aborted) await reply.send({ type: 'done', id });
  else await reply.send({ type: 'copied', id, segment: first, bytes: at, sha256: hash.digest('hex') });
  return undefined;
}

async function follow(
  { id, query, after }: PortRequest & { type: 'follow' },
  reply: Reply,
  { store, intake }: CollectionParts,
): Promise<Failure | undefined> {
  let at = store.next - 1;
  if (after !== undefined) {
    const [of, number] = after.split('.', 2);
    if (of !== store.id || Number(number) > at) return failure('SLP-LOG-0011', `token ${after}`);
    at = Number(number);
  }
  let stored = Promise.withResolvers<void>();
  const deaf = intake.listen(() => stored.resolve());
  reply.signal.addEventListener('abort', () => stored.resolve());
  try {
    // At once, so that whoever follows can go on from here even if nothing has come yet.
    await reply.events([], { resume: `${store.id}.${at}` });
    while (!reply.signal.aborted) {
      stored = Promise.withResolvers<void>();
      at = await catchUp(at, query, reply, store);
      if (at === store.next - 1 && !reply.signal.aborted) await stored.promise;
    }
  } finally {
    deaf();
  }
  await reply.send({ type: 'done', id });
  return undefined;
}

/** Gives what is there behind a number; the number up to which it was looked at. */
async function catchUp(from: number, query: SearchQuery, reply: Reply, store: LogStore): Promise<number> {
  const matcher = matcherOf(query);
  const batch = new EventBatch();
  let at = from;
  let told = from;
  const give = async (missed?: number): Promise<void> => {
    told = at;
    const resume = `${store.id}.${at}`;
    await reply.events(batch.take(), missed === undefined ? { resume } : { resume, missed });
  };
  while (!reply.signal.aborted) {
    const facts = store.holding(at);
    if (facts === undefined || facts.events === 0) break;
    if (facts.first > at + 1) {
      const missed = facts.first - 1 - at;
      at = facts.first - 1;
      await give(missed);
    }
    const segment = Segment.read(store.folder, facts);
    try {
      for (let rows = segment.after(at, ROWS); rows.length > 0; rows = segment.after(at, ROWS)) {
        for (const { id, json } of rows) {
          const event = eventIn(json);
          if (event !== undefined && matcher.narrows(event) && matcher.terms(event)) {
            if (batch.full(json)) await give();
            batch.add(json);
          }
          at = id;
        }
        if (reply.signal.aborted) break;
        await nextTurn();
      }
      // Numbers that were never stored are passed over.
      if (!reply.signal.aborted) at = Math.max(at, facts.last);
    } finally {
      segment.close();
    }
  }
  if (batch.size > 0 || at - told >= 10_000) await give();
  return at;
}
