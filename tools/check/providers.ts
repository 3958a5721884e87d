import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { providerNames } from '#protocols/log-query';

/*
 * Every provider of events is emitted by some service. One that can be asked for and traces nothing is worse than none:
 * whoever waits for its events takes their absence for an answer.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const SOURCES = 'src/{edge,platform}/**/*.ts';

const EMITTED = /\bprovider: '(\w+)'|\btap\('(\w+)'\)/g;

const named = new Set<string>();
for await (const file of glob(SOURCES, { cwd: root })) {
  if (/\.(test|fuzz)\.ts$|\/test(ing|data)\//.test(file)) continue;
  const source = readFileSync(join(root, file), 'utf8');
  for (const [, emitted, tapped] of source.matchAll(EMITTED)) named.add(emitted ?? tapped ?? '');
}
const silent = providerNames.filter((name) => !named.has(name));
for (const name of silent) console.log(`no service emits events of the provider ${name}`);
process.exitCode = silent.length === 0 ? 0 : 1;
