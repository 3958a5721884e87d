import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForProof } from './needs.ts';
import { prove } from './proof.ts';
import { summary, writeReport } from './report.ts';

/*
 * The perimeter proof.
 *   npm run proof                    all of it
 *   npm run proof -- ext-05 int-02   these rows only, and nothing of what must not be possible
 *   npm run proof -- --relay-threads 2    the edges relay media in so many threads
 *   npm run proof -- --json FILE     where the result is written
 * Status 0 only when every row whose service exists is proven and nothing else was found open; 2 when it cannot run here.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string', default: '.sallyport/proof/proof.json' },
    'relay-threads': { type: 'string', default: '1' },
  },
});

const missing = missingForProof();
if (missing === undefined) await proveAndReport();
else {
  console.error(`The perimeter proof cannot run here: ${missing}.`);
  process.exitCode = 2;
}

async function proveAndReport(): Promise<void> {
  const say = (line: string) => console.log(line);
  try {
    const relayThreads = Number(values['relay-threads']);
    const report = await prove({ only: positionals, relayThreads, say, logs: dirname(values.json) });
    writeReport(report, values.json);
    console.log(`\n${summary(report)}\nResult: ${values.json}; logs of the programs beside it.`);
    process.exitCode = report.ok ? 0 : 1;
  } catch (problem) {
    console.error(`\nThe perimeter proof broke off: ${(problem as Error).stack}`);
    process.exitCode = 1;
  }
}
