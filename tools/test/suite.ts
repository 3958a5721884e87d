import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { missingPeers } from './peers.ts';

export interface Tally {
  passed: number;
  failed: number;
  readonly skipped: string[];
}

export interface Layer {
  readonly title: string;
  readonly files: readonly string[];
  /** Test files at a time. Real peers run alone, so that nothing else on two cores makes them lose packets. */
  readonly concurrency: number;
}

/** How long one file may take, and how long its process may live beyond that. Milliseconds. */
const FILE_MS = 300_000;
const GRACE_MS = 10_000;
const DEADLINE = new URL('deadline.ts', import.meta.url).href;
const SEED = new URL('seed.ts', import.meta.url).href;
/** Of the cases on which the suite tries properties. */
const SUITE_SEED = 2013;
const INTEROP = /\.interop\.test\.ts$/;

/**
 * The test files in order: pure and adapter tests first, then the real peers. Tests whose peers are not on this
 * machine are left out and noted in the tally with the reason.
 */
export function layers(root: string, only: readonly string[], tally: Tally): Layer[] {
  const all = globSync(['src/**/*.test.ts', 'tools/**/*.test.ts', 'proof/**/*.test.ts'], { cwd: root })
    .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
    .sort()
    .map((file) => join(root, file));
  const canRun = (file: string) => {
    const missing = missingPeers(file);
    if (missing !== undefined) tally.skipped.push(`${relative(root, file)}: ${missing}`);
    return missing === undefined;
  };
  return [
    {
      title: 'pure and adapter tests',
      files: all.filter((file) => !INTEROP.test(file)),
      concurrency: availableParallelism(),
    },
    { title: 'real peers', files: all.filter((file) => INTEROP.test(file) && canRun(file)), concurrency: 1 },
  ].filter((layer) => layer.files.length > 0);
}

/**
 * Runs one layer, each file in a process of its own, and adds its outcome to the tally. `seed` chooses the cases on which
 * properties are tried.
 */
export async function runLayer(layer: Layer, tally: Tally, seed = suiteSeed()): Promise<void> {
  process.env.SALLYPORT_TEST_FILE_MS = String(FILE_MS + GRACE_MS);
  process.env.SALLYPORT_TEST_SEED = String(seed);
  const stream = run({
    files: [...layer.files],
    concurrency: layer.concurrency,
    timeout: FILE_MS,
    execArgv: ['--import', DEADLINE, '--import', SEED],
  });
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return;
    if (event.skip !== undefined && event.skip !== false) {
      tally.skipped.push(`${event.name}: ${event.skip === true ? 'no reason given' : event.skip}`);
    } else if (event.todo !== undefined && event.todo !== false) tally.skipped.push(`${event.name}: todo`);
    else tally.passed += 1;
  });
  stream.on('test:fail', (event) => {
    // A suite fails with its tests, which are counted, or by itself in a hook.
    const { type, error } = event.details;
    if (type !== 'suite' || !/^subtests?Failed$/.test(failureType(error))) tally.failed += 1;
  });
  const report = stream.compose(spec);
  report.pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => {
    report.on('end', resolve);
    stream.on('error', reject);
  });
}

function suiteSeed(): number {
  const told = process.env.SALLYPORT_TEST_SEED;
  const seed = told === undefined ? SUITE_SEED : Number(told);
  if (!Number.isInteger(seed)) throw new Error(`SALLYPORT_TEST_SEED is a whole number, not ${told}`);
  return seed;
}

function failureType(error: Error): string {
  return 'failureType' in error && typeof error.failureType === 'string' ? error.failureType : '';
}
