import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * Every class of attack of spec/attack-classes.tsv has a test, and the file that the table names holds it. What is
 * listed as open is printed.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const numbered = (letter: string, length: number) =>
  Array.from({ length }, (_, index) => `${letter}${index + 1}`);
const CLASSES = [...numbered('S', 18), ...numbered('T', 20), ...numbered('X', 10)];
const open = new Set<string>();
const tested = new Set<string>();
const problems: string[] = [];

function checkRow(line: string): void {
  const [id = '', , file = '', text = ''] = line.split('\t');
  if (!CLASSES.includes(id)) problems.push(`there is no class ${id}`);
  if (file === 'open') {
    open.add(id);
    console.log(`${id} open: ${text}`);
    return;
  }
  const path = join(root, file);
  if (text === '' || !existsSync(path)) problems.push(`${id}: there is no ${file}`);
  else if (!readFileSync(path, 'utf8').includes(text)) problems.push(`${id}: ${file} has no "${text}"`);
  else tested.add(id);
}

for (const line of readFileSync(join(root, 'spec/attack-classes.tsv'), 'utf8').split('\n')) {
  if (line !== '' && !line.startsWith('#')) checkRow(line);
}
for (const id of CLASSES)
  if (!tested.has(id) && !(open.has(id) && id.startsWith('T'))) problems.push(`${id} has no test`);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
