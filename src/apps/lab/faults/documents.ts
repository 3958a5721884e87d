import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { AdministrationClient, type ReloadReport } from '#platform/service';
import type { Perimeter } from '../testing/perimeter.ts';

export type Program = 'edge' | 'internal';
/** Values by their place in the document, `policy.limits.access.connections` or `frontEnd.edges.0.name`. */
export type Change = Readonly<Record<string, unknown>>;

/** Writes settings into a document; undefined takes one away. The program is not told. */
export function edit(perimeter: Perimeter, program: Program, change: Change): void {
  editFile(fileOf(perimeter, program), change);
}
/** The same for any document, by its file. */
export function editFile(file: string, change: Change): void {
  const document = parseDocument(readFileSync(file, 'utf8'));
  for (const [place, value] of Object.entries(change)) {
    const path = place.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, document.createNode(value));
  }
  replace(file, document.toString());
}

/** The document as it is written now, to be put back by `restore`. */
export function textOf(perimeter: Perimeter, program: Program): string {
  return readFileSync(fileOf(perimeter, program), 'utf8');
}
export function restore(perimeter: Perimeter, program: Program, text: string): void {
  replace(fileOf(perimeter, program), text);
}

export async function reload(perimeter: Perimeter, program: Program): Promise<ReloadReport> {
  const { edgeSocket, internalSocket } = perimeter.files;
  return reloadAt(program === 'edge' ? edgeSocket : internalSocket);
}
/** The same by the socket of its administration. */
export async function reloadAt(socket: string): Promise<ReloadReport> {
  const client = new AdministrationClient(socket);
  const report = await client.call('reload', {});
  if (!report.ok) throw new Error(report.error.message);
  return report.value;
}

/** Edits and reloads; throws when the program does not take the document. */
export async function change(perimeter: Perimeter, program: Program, settings: Change): Promise<void> {
  edit(perimeter, program, settings);
  const { outcome, problems } = await reload(perimeter, program);
  if (outcome !== 'applied') throw new Error(`${outcome}: ${problems.join('; ')}`);
}

function fileOf({ files }: Perimeter, program: Program): string {
  return program === 'edge' ? files.edgeDocument : files.internalDocument;
}

/** In one step: the program looks at its document whenever it likes, and never sees half of it. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
