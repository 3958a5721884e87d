import { z } from 'zod';
import { catalogue, type ErrorCode, type WallTime } from '#kernel';
import { PRODUCT_VERSION } from '#platform/telemetry';
import { type Attempt, type EdgeReport, edgeReport, type SigningKey } from '#protocols/replication';
import type { Database, EdgeRecord } from './database.ts';
import type { ManagedEdge } from './policies.ts';
import type { StoreKeys } from './store-keys.ts';

const told = z.object({ code: z.string(), message: z.string(), remedy: z.string() });
type Told = z.output<typeof told>;

const row = z.object({
  name: z.string(),
  /** Null: its name is looked up. */
  address: z.string().nullable(),
  site: z.string(),
  state: z.enum(['up-to-date', 'behind', 'never-heard', 'nothing-published', 'failing']),
  /** Of the newest version for it. */
  here: z.number().nullable(),
  /** Of what it runs. */
  there: z.number().nullable(),
  lastReport: z.number().nullable(),
  lastTry: z.number().nullable(),
  lastUpdate: z.number().nullable(),
  product: z.string().nullable(),
  /** What keeps it from being up to date. */
  error: told.nullable(),
  /** What does not, and somebody should know all the same. */
  notices: z.array(told),
});

/** What `config status` shows. */
export const managementStatus = z.object({
  store: z.object({
    host: z.string(),
    product: z.string(),
    fingerprint: z.string(),
    /** Of the loop that keeps the edges up to date. */
    heartbeat: z.number().nullable(),
    version: z.number(),
    keys: z.enum(['steady', 'rolling']),
    /** For what new keys wait. */
    waits: z.array(told),
    /** Why what is stored could not be published. */
    error: told.nullable(),
  }),
  edges: z.array(row),
});
export type ManagementStatus = z.output<typeof managementStatus>;
type EdgeRow = z.output<typeof row>;

export interface StatusParts {
  readonly host: string;
  readonly database: Database;
  readonly key: SigningKey;
  readonly keys: StoreKeys;
  readonly edges: readonly ManagedEdge[];
  readonly heartbeat: WallTime | null;
}

export function statusOf({ host, database, key, keys, edges, heartbeat }: StatusParts): ManagementStatus {
  const rolling = database.secrets().some((secret) => secret.state === 'next');
  return {
    store: {
      host,
      product: PRODUCT_VERSION,
      fingerprint: key.fingerprint,
      heartbeat,
      version: Number(database.fact('version') ?? 0),
      keys: rolling ? 'rolling' : 'steady',
      waits: keys.waits().map(({ code, message }) => tell(code, message)),
      error: toldIn(database.fact(NOT_PUBLISHED)),
    },
    edges: edges.map((edge) => rowOf(edge, database, keys)),
  };
}

/** The fact under which the last failure to publish is kept. */
export const NOT_PUBLISHED = 'not published';
/** More than this between the clocks is told. Milliseconds. */
const SKEW_MS = 60_000;

function rowOf(edge: ManagedEdge, database: Database, keys: StoreKeys): EdgeRow {
  const record = database.edge(edge.name);
  const newest = database.newest(edge.name);
  const report = reportOf(record);
  const error = toldIn(record?.problem);
  const current = newest !== undefined && report?.head?.hash === newest.hash && !keys.differs(report);
  return {
    name: edge.name,
    address: edge.address ?? null,
    site: edge.site,
    state: stateOf({
      current,
      failing: error !== null,
      heard: report !== undefined,
      published: newest !== undefined,
    }),
    here: newest?.version ?? null,
    there: report?.head?.version ?? null,
    lastReport: record?.reported ?? null,
    lastTry: record?.tried ?? null,
    lastUpdate: report?.appliedAt ?? null,
    product: report?.product ?? null,
    error,
    notices: noticesOf(edge.name, record, newest?.hash),
  };
}

function noticesOf(name: string, record: EdgeRecord | undefined, newest: string | undefined): Told[] {
  const report = reportOf(record);
  if (report === undefined || record?.reported === undefined) return [];
  const skew = Math.round((report.now - record.reported) / 1000);
  const { last } = report;
  const foreign = last !== null && isRefusal(last) && last.head?.hash !== newest;
  return [
    ...(Math.abs(skew) * 1000 > SKEW_MS ? [tell('SLP-CFG-0032', skewText(name, skew))] : []),
    ...(foreign && record.problem === undefined
      ? [tell('SLP-CFG-0038', `${name}, ${attemptText(last)}`)]
      : []),
  ];
}

function isRefusal({ outcome }: Attempt): boolean {
  return outcome === 'refused' || outcome === 'rolled-back';
}
/** What an edge says of an attempt: when by its own clock, which version it claimed to be, and what was wrong. */
function attemptText({ at, head, outcome, problems }: Attempt): string {
  const version = head === null ? '' : ` of version ${head.version}`;
  return `push${version} at ${new Date(at).toISOString()} ${outcome}: ${problems[0] ?? 'no reason was given'}`;
}
export function skewText(edge: string, seconds: number): string {
  return `${edge} is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`;
}

function tell(code: ErrorCode, message: string): Told {
  return { code, message, remedy: catalogue[code].remedy };
}

function stateOf(known: {
  current: boolean;
  failing: boolean;
  heard: boolean;
  published: boolean;
}): EdgeRow['state'] {
  if (known.failing) return 'failing';
  if (known.current) return 'up-to-date';
  if (!known.heard) return 'never-heard';
  return known.published ? 'behind' : 'nothing-published';
}

export function reportOf(record: EdgeRecord | undefined): EdgeReport | undefined {
  if (record?.report === undefined) return undefined;
  const parsed = edgeReport.safeParse(JSON.parse(record.report));
  return parsed.success ? parsed.data : undefined;
}

function toldIn(text: string | undefined): Told | null {
  if (text === undefined) return null;
  const { code, message } = JSON.parse(text) as { code: ErrorCode; message: string };
  return { code, message, remedy: catalogue[code]?.remedy ?? '' };
}
