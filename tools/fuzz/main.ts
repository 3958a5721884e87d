import { spawn } from 'node:child_process';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Corpus } from './corpus.ts';
import { fuzz } from './engine.ts';
import type { FuzzTarget } from './target.ts';

/*
 * Fuzzes every `*.fuzz.ts` of the source. Each file runs in a process of its own, as many at a time as there are
 * cores; the seed is printed, so a failure can be repeated.
 *   node tools/fuzz/main.ts [--executions 200000] [--seed N] [--guided 5000] [--only NAME] [--keep] [FILE...]
 * --keep writes what was found to spec/corpus, where later runs begin.
 */
const root = join(dirname(import.meta.filename), '..', '..');

const corpus = new Corpus(root);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    executions: { type: 'string', default: '200000' },
    guided: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});

function keepCrash(name: string, input: Buffer): string {
  const folder = join(root, '.sallyport', 'fuzz');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll('/', '-')}.crash`);
  writeFileSync(file, input);
  return file.slice(root.length + 1);
}

async function runFile(file: string): Promise<boolean> {
  const { targets } = (await import(pathToFileURL(file).href)) as { targets: readonly FuzzTarget[] };
  let clean = true;
  for (const target of targets) {
    if (values.only !== undefined && target.name !== values.only) continue;
    const started = performance.now();
    const seeds = [...target.seeds, ...corpus.read(target.name)];
    const report = fuzz(
      { name: target.name, seeds, run: (input) => target.run(input) },
      {
        executions: Math.ceil(Number(values.executions) / (target.counts ?? 1)),
        seed: Number(values.seed),
        guided: Number(values.guided),
      },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${target.name}: ${report.executions} inputs, corpus ${report.corpus.length}, ${report.blocks} blocks, ${seconds} s`,
    );
    if (values.keep) corpus.write(target.name, report.corpus, target.seeds);
    if (report.crash === undefined) continue;
    clean = false;
    console.log(`${target.name}: FAILED on the input kept in ${keepCrash(target.name, report.crash.input)}`);
    console.log(report.crash.error);
  }
  return clean;
}

function spawnFile(file: string): Promise<boolean> {
  const own = process.argv.slice(2).filter((argument) => !positionals.includes(argument));
  const child = spawn(process.execPath, [import.meta.filename, '--child', ...own, file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code === 0)));
}

async function runAll(files: string[]): Promise<boolean> {
  let clean = true;
  const queue = [...files];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      if (!(await spawnFile(file))) clean = false;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return clean;
}

const files =
  positionals.length > 0
    ? positionals
    : globSync('src/**/*.fuzz.ts', { cwd: root }).map((f) => join(root, f));
const clean = values.child ? await runFile(files[0] ?? '') : await runAll(files.sort());
process.exitCode = clean ? 0 : 1;
