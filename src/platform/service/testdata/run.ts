/** A supervisor of the test program in a process of its own. Argument: the document. Prints log lines. */
import { runProgram } from '../run-program.ts';
import { obeySignals } from '../signals.ts';
import { testProgram } from './document.ts';

const started = await runProgram({
  program: testProgram,
  file: process.argv[2] ?? '',
  singleProcess: process.argv[3] === '--single-process',
  timing: { filesMs: 50, pollMs: 20 },
});
if (started.ok) {
  obeySignals(started.value, 10_000);
  await started.value.ended;
} else {
  process.stdout.write(`${JSON.stringify({ event: 'not started', problems: started.error.problems })}\n`);
  process.exitCode = 1;
}
