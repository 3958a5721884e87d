import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { edgeListeners, internalListeners } from '../plan/listeners.ts';
import type { InternalDocument } from '../schema/internal-schema.ts';
import { settings } from '../schema/settings.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { examineEdge, examineInternal } from './document.ts';

const reference = join(import.meta.dirname, '../../../../docs/reference');

/** The example with everything in it switched on. */
function switchedOn(text: string): string {
  return text.replace(/^(\s*)#(?=(?:- )?[A-Za-z]+:)/gm, '$1');
}

/** The document of the guide, with the names of the files that the test imagines. */
function firstEdge(kind: 'edge' | 'internal'): string {
  const guide = readFileSync(join(reference, `../guides/first-edge/${kind}.yaml`), 'utf8');
  return guide.replaceAll('.pem', '.crt').replace('media.key', 'good.media');
}

for (const kind of ['edge', 'internal'] as const) {
  const text = readFileSync(join(reference, `${kind}.example.yaml`), 'utf8');
  const examine = kind === 'edge' ? examineEdge : examineInternal;
  const errors = (content: string) =>
    examine(content, { file: `${kind}.yaml`, files: virtualFiles }).findings.filter(
      ({ severity }) => severity === 'error',
    );

  test(`${kind}.example.yaml is a good document`, () => {
    assert.deepEqual(errors(text), []);
  });

  test(`docs/guides/first-edge/${kind}.yaml is a good document`, () => {
    assert.deepEqual(errors(firstEdge(kind)), []);
  });

  test(`docs/guides/first-edge/${kind}.yaml can be run without being root, as the guide says`, () => {
    const { document } = examine(firstEdge(kind), { file: `${kind}.yaml`, files: virtualFiles });
    assert.ok(document !== undefined);
    const listeners =
      'policy' in document ? edgeListeners(document) : internalListeners(document as InternalDocument);
    assert.ok(listeners.length > 0);
    for (const { id, port } of listeners) assert.ok(port >= 1024, id);
  });

  test(`${kind}.example.yaml is one with every setting switched on`, () => {
    assert.deepEqual(errors(switchedOn(text)), []);
    for (const { name } of settings(kind)) {
      const key = name.split('.').at(-1);
      assert.match(switchedOn(text), new RegExp(`^\\s*(- )?${key}: `, 'm'));
    }
  });
}
