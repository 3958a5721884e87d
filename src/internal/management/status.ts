import { z } from 'zod';
import { catalogue, type ErrorCode, type WallTime } from '#kernel';
import { PRODUCT_VERSION } from '#platform/telemetry';
import { type EdgeReport, edgeReport, type SigningKey } from '#protocols/replication';
import type { Database, EdgeRecord } from './database.ts';
import type { ManagedEdge } from './policies.ts';

const row = z.object({
  name: z.string(),
  address: z.string(),
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
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).nullable(),
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
  }),
  edges: z.array(row),
});
export type ManagementStatus = z.output<typeof managementStatus>;
type EdgeRow = z.output<typeof row>;

export interface StatusParts {
  readonly host: string;
  readonly database: Database;
  readonly key: SigningKey;
  readonly edges: readonly ManagedEdge[];
  readonly heartbeat: WallTime | null;
}

export function statusOf({ host, database, key, edges, heartbeat }: StatusParts): ManagementStatus {
  const rolling = database.secrets().some((secret) => secret.state === 'next');
  return {
    store: {
      host,
      product: PRODUCT_VERSION,
      fingerprint: key.fingerprint,
      heartbeat,
      version: Number(database.fact('version') ?? 0),
      keys: rolling ? 'rolling' : 'steady',
    },
    edges: edges.map((edge) => rowOf(edge, database)),
  };
}

/** An edge that is up to date may all the same have a clock to be set. */
const SKEW: ErrorCode = 'SLP-CFG-0032';

function rowOf(edge: ManagedEdge, database: Database): EdgeRow {
  const record = database.edge(edge.name);
  const newest = database.newest(edge.name);
  const report = reportOf(record);
  const error = errorOf(record);
  const current = newest !== undefined && report?.head?.hash === newest.hash;
  return {
    name: edge.name,
    address: edge.address,
    site: edge.site,
    state: stateOf({
      current,
      failing: error !== null && !(current && error.code === SKEW),
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
  };
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

function errorOf(record: EdgeRecord | undefined): EdgeRow['error'] {
  if (record?.problem === undefined) return null;
  const { code, message } = JSON.parse(record.problem) as { code: ErrorCode; message: string };
  return { code, message, remedy: catalogue[code]?.remedy ?? '' };
}
