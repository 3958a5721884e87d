import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingNames } from './generate/settings.ts';

/*
 * Every setting has a test in which changing it changes what a peer sees. The test says so in its title:
 * `[setting policy.limits.access.messageBytes]`. Fails for settings that no title names, and for titles that name
 * no setting.
 */
const root = join(import.meta.dirname, '..');
const MARK = /\[setting ([\w.]+(?:\[\][\w.]*)*)\]/g;

const known = settingNames();
const named = new Map<string, string>();
for (const file of globSync('{src,proof}/**/*.test.ts', { cwd: root })) {
  for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(MARK)) named.set(name, file);
}

const problems = [
  ...known.filter((name) => !named.has(name)).map((name) => `${name}: no test is titled [setting ${name}]`),
  ...[...named]
    .filter(([name]) => !known.includes(name))
    .map(([name, file]) => `${file}: there is no setting ${name}`),
];
for (const problem of problems) console.log(problem);
if (problems.length > 0)
  console.log(`${known.length - problems.length} of ${known.length} settings are tested`);
process.exitCode = problems.length === 0 ? 0 : 1;
