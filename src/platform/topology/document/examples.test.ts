import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settings } from '../schema/settings.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { examineEdge, examineInternal } from './document.ts';

const reference = join(import.meta.dirname, '../../../../docs/reference');

/** The example with everything in it switched on. */
function switchedOn(text: string): string {
  return text.replace(/^(\s*)#(?=(?:- )?[A-Za-z]+:)/gm, '$1');
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
    const guide = readFileSync(join(reference, `../guides/first-edge/${kind}.yaml`), 'utf8');
    const imagined = guide.replaceAll('.pem', '.crt').replace('media.key', 'good.media');
    assert.deepEqual(errors(imagined), []);
  });

  test(`${kind}.example.yaml is one with every setting switched on`, () => {
    assert.deepEqual(errors(switchedOn(text)), []);
    for (const { name } of settings(kind)) {
      const key = name.split('.').at(-1);
      assert.match(switchedOn(text), new RegExp(`^\\s*(- )?${key}: `, 'm'));
    }
  });
}
