import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * Every room has one door and says what it is; no file is overcrowded.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const LONGEST_FILE = 420;

const problems: string[] = [];
for (const floor of ['protocols', 'platform', 'edge', 'internal', 'apps']) {
  const folder = join(root, 'src', floor);
  if (!existsSync(folder)) continue;
  for (const room of readdirSync(folder)) {
    for (const wanted of ['index.ts', 'README.md']) {
      if (!existsSync(join(folder, room, wanted)))
        problems.push(`src/${floor}/${room}: ${wanted} is missing`);
    }
  }
}
for (const file of globSync('{src,tools,bench,proof}/**/*.{ts,tsx}', { cwd: root })) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n').length;
  if (lines > LONGEST_FILE && !/\.(test|generated)\.ts$/.test(file)) {
    problems.push(`${file}: ${lines} lines; split it below ${LONGEST_FILE}`);
  }
}
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
