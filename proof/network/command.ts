import { spawn, spawnSync } from 'node:child_process';

const KEPT_ERRORS = 4000;

/** Runs a program to its end and gives what it printed; throws with its error output when it fails. */
export function run(program: string, parameters: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
    const printed: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.once('error', (problem) => reject(new Error(`${program}: ${problem.message}`)));
    child.once('close', (code) => {
      if (code === 0) return resolve(Buffer.concat(printed).toString());
      const why = Buffer.concat(errors).toString().slice(0, KEPT_ERRORS);
      reject(new Error(`${[program, ...parameters].join(' ')} ended with ${code}: ${why}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** The same at once, for the way out, where nothing can be awaited; undefined when it failed. */
export function runNow(program: string, parameters: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, parameters, { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

/** Looks again and again until there is something; throws when it takes longer than `patienceMs`. */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | undefined> | Value | undefined,
  patienceMs = 15_000,
): Promise<Value> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`timed out before ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
