import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForProof } from '../../proof/needs.ts';
import { layers, runLayer, type Tally } from './suite.ts';

/*
 * Every test: the static checks, the tests beside the source, the real peers, the perimeter proof, the fuzz targets.
 *   npm test                       all of it
 *   npm test -- access stun        only the test files whose path holds one of the words, and nothing else
 * With CI=true whatever could not run is a failure.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const { positionals } = parseArgs({ allowPositionals: true });
const strict = process.env.CI === 'true';
const tally: Tally = { passed: 0, failed: 0, skipped: [] };

function step(title: string, script: string, ...parameters: string[]): void {
  console.log(`\n=== ${title}`);
  const started = performance.now();
  const result = spawnSync(process.execPath, [join(root, script), ...parameters], {
    cwd: root,
    stdio: 'inherit',
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${title}: ${result.status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (result.status === 0) tally.passed += 1;
  else tally.failed += 1;
}

/** A step of its own: it builds whole networks, for which it has to be root on Linux. */
function provePerimeter(): void {
  const missing = missingForProof();
  if (missing === undefined) step('perimeter proof', 'proof/main.ts');
  else tally.skipped.push(`perimeter proof: ${missing}`);
}

// Thousands of processes load the same modules: with what the engine made of them kept, a lab starts for half the work.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'compile');

const whole = positionals.length === 0;
if (whole) step('static checks', 'tools/check/main.ts');
for (const layer of layers(root, positionals, tally)) {
  console.log(`\n=== ${layer.title}`);
  await runLayer(layer, tally);
}
if (whole) provePerimeter();
if (whole) step('fuzzing', 'tools/fuzz/main.ts', '--executions', '200000');

for (const line of tally.skipped) console.log(`not run: ${line}`);
console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`);
process.exitCode = tally.failed > 0 || (strict && tally.skipped.length > 0) ? 1 : 0;
