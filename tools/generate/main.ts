import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsPage } from './errors-page.ts';
import { exampleFile } from './example-document.ts';
import { psomObjectsPage } from './psom-objects-page.ts';
import { schemaFile } from './schema-file.ts';
import { settingsPage } from './settings-page.ts';

/*
 * Writes the generated pages of docs from their sources. With --check it writes nothing, and fails when
 * a file is not what it would write.
 */
const root = join(import.meta.dirname, '..', '..');

const generated: Readonly<Record<string, () => string>> = {
  'docs/reference/edge-yaml.md': () => settingsPage('edge'),
  'docs/reference/internal-yaml.md': () => settingsPage('internal'),
  'docs/reference/errors.md': errorsPage,
  'docs/reference/edge.schema.json': () => schemaFile('edge'),
  'docs/reference/internal.schema.json': () => schemaFile('internal'),
  'docs/reference/edge.example.yaml': () => exampleFile('edge'),
  'docs/reference/internal.example.yaml': () => exampleFile('internal'),
  'docs/protocols/psom-objects.md': psomObjectsPage,
};

function present(file: string): string | undefined {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return undefined;
  }
}

const stale = Object.entries(generated).filter(([file, render]) => present(file) !== render());
if (process.argv.includes('--check')) {
  for (const [file] of stale) console.log(`${file} is not up to date: run npm run generate`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [file, render] of stale) {
    writeFileSync(join(root, file), render());
    console.log(`wrote ${file}`);
  }
}
