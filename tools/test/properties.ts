import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { layers, runLayer, type Tally } from './suite.ts';

/*
 * The tests that try a property on random cases, again and again on others than the suite's:
 *   npm run long:properties -- --rounds 100
 * It ends at the first round in which one fails, and says with which seed it can be seen again:
 *   SALLYPORT_TEST_SEED=… npm test -- WORD
 */
const root = join(dirname(import.meta.filename), '..', '..');
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' } } });
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds is a number from 1');

const tally: Tally = { passed: 0, failed: 0, skipped: [] };
const tried = layers(root, [], tally).map((layer) => ({
  ...layer,
  files: layer.files.filter((file) => readFileSync(file, 'utf8').includes("from 'fast-check'")),
}));
for (let round = 1; round <= rounds && tally.failed === 0; round += 1) {
  const seed = randomInt(2 ** 31);
  for (const layer of tried) if (layer.files.length > 0) await runLayer(layer, tally, seed);
  console.log(`round ${round} of ${rounds}, seed ${seed}: ${tally.failed === 0 ? 'ok' : 'FAILED'}`);
}
process.exitCode = tally.failed === 0 ? 0 : 1;
