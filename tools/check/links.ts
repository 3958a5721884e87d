import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * What a document points to exists: every relative link of every Markdown file, and every `npm run` that one names.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

const LINK = /\]\(([^)\s]+)\)/g;
const COMMAND = /\bnpm run ([\w:-]+)/g;
const problems: string[] = [];

function checkLine(file: string, number: number, line: string): void {
  for (const [, target = ''] of line.matchAll(LINK)) {
    if (/^(?:[a-z]+:|#)/.test(target)) continue;
    const path = join(root, dirname(file), target.replace(/#.*/, ''));
    if (!existsSync(path)) problems.push(`${file}:${number}: there is no ${target}`);
  }
  for (const [, script = ''] of line.matchAll(COMMAND)) {
    if (scripts[script] === undefined)
      problems.push(`${file}:${number}: package.json has no script ${script}`);
  }
}

for (const file of globSync(['*.md', '{src,docs,bench,proof,spec,tools}/**/*.md'], { cwd: root })) {
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .forEach((line, at) => {
      checkLine(file, at + 1, line);
    });
}
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
