import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEdgeDocument } from '../document/document.ts';
import { formatDocumentError } from '../finding.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import { virtualFiles } from './virtual-files.ts';

/** The documents in `scenarios/`: one for each way in which the field sets up edges, and what decides rows besides. */
export const scenarioNames = [
  'minimal',
  's1-ipv4',
  's1-dual',
  's1-ipv6',
  's2-nat',
  's3-dns-pool',
  's4-dns-pool-nat',
  's5-hardware',
  'single-address',
  'profile-edge-tunnel',
  'profile-ice',
  'profile-legacy',
  'everything',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** The file of a scenario's document; the certificates that it names are imagined, see `virtual-files.ts`. */
export function scenarioFile(name: ScenarioName): string {
  return join(import.meta.dirname, 'scenarios', `${name}.yaml`);
}

/** A scenario's document, read and checked. */
export function scenario(name: ScenarioName): EdgeDocument {
  const file = scenarioFile(name);
  const parsed = parseEdgeDocument(readFileSync(file, 'utf8'), { file, files: virtualFiles });
  if (parsed.ok) return parsed.value;
  throw new Error(parsed.error.map(formatDocumentError).join('\n'));
}
