import { BenchFolder } from './bench-folder.ts';
import { stopAll } from './pinned-process.ts';

/** A benchmark that takes longer than this has got stuck. */
const LONGEST_MS = 900_000;

/** Runs a benchmark; whatever happens, its programs end and its folder goes. The exit status says whether it ran. */
export async function runBench(play: (folder: BenchFolder) => Promise<void>): Promise<void> {
  const folder = await BenchFolder.create();
  const leave = async (status: number) => {
    await stopAll();
    folder.remove();
    process.exit(status);
  };
  const interrupted = (why: string) => {
    process.stderr.write(`\nended early: ${why}\n`);
    void leave(1);
  };
  process.once('SIGINT', () => interrupted('interrupted'));
  process.once('SIGTERM', () => interrupted('terminated'));
  setTimeout(() => interrupted(`not done within ${LONGEST_MS / 1000} s`), LONGEST_MS).unref();
  try {
    await play(folder);
    await leave(0);
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    await leave(1);
  }
}

/** How many threads relay: the second argument, else one. */
export function threadsAsked(): number {
  const asked = Number(process.argv[3] ?? 1);
  if (Number.isInteger(asked) && asked >= 1 && asked <= 16) return asked;
  throw new RangeError('write the number of threads behind that of rounds, 1 to 16');
}

/** How many rounds: the first argument, else the default. */
export function roundsAsked(standard: number): number {
  const asked = Number(process.argv[2] ?? standard);
  if (Number.isInteger(asked) && asked >= 1 && asked <= 50) return asked;
  throw new RangeError('write the number of rounds, 1 to 50');
}
