import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * One citation grammar (`RFC 8656 §7.2`, `[MS-TURN] §2.2`, `port row ext-09`; XEPs by their number) and one index: a
 * document that spec/index.tsv does not list, one that it lists and nothing cites, or a port row that does not exist, is
 * an error.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const index = readFileSync(join(root, 'spec', 'index.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t'));
const known = new Set(index.map(([document]) => document));
const statuses = new Set(['yes', 'partial', 'planned', 'reference']);

const problems: string[] = [];
for (const [document, status, title] of index.slice(1)) {
  if (!statuses.has(status ?? '')) problems.push(`spec/index.tsv: ${document}: unknown status "${status}"`);
  if (title === undefined) problems.push(`spec/index.tsv: ${document}: has no title`);
}

const CITATION = /\bRFC ?(\d{3,5})\b|\bXEP-(\d{4})\b|\[(MS-[A-Z0-9]+)\]/g;
const ROW = /\bport rows? ((?:ext|int|fed|pic|xmpp)-\d\d)\b/g;
const cited = new Set<string>();
const ROW_COUNTS: Record<string, number> = { ext: 16, int: 11, fed: 1, pic: 6, xmpp: 3 };

function checkLine(where: string, line: string): void {
  for (const [, rfc, xep, ms] of line.matchAll(CITATION)) {
    const document = rfc !== undefined ? `RFC ${rfc}` : xep !== undefined ? `XEP-${xep}` : `[${ms}]`;
    cited.add(document);
    if (!known.has(document))
      problems.push(`${where}: cites ${document}, which spec/index.tsv does not list`);
  }
  for (const [, row] of line.matchAll(ROW)) {
    const [table, number] = (row ?? '').split('-');
    const last = ROW_COUNTS[table ?? ''] ?? 0;
    if (Number(number) < 1 || Number(number) > last) problems.push(`${where}: there is no port row ${row}`);
  }
}

for (const file of globSync('{src,tools,docs,bench,proof}/**/*.{ts,md}', { cwd: root })) {
  if (file.includes('node_modules')) continue;
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .forEach((line, at) => {
      checkLine(`${file}:${at + 1}`, line);
    });
}
for (const [document = '', status] of index.slice(1)) {
  if (status === 'planned' || cited.has(document)) continue;
  problems.push(`spec/index.tsv: ${document} is listed as ${status}, but nothing cites it`);
}
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
