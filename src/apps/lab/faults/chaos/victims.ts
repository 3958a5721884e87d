import assert from 'node:assert/strict';
import type { LabProgram } from '../../program.ts';
import type { Perimeter } from '../../testing/perimeter.ts';
import { isAlive } from '../leftovers.ts';
import { until } from '../until.ts';

/** Who is killed: a service process by its name, or a supervisor with everything below it. */
export const victims = [
  { program: 'internal', service: 'management' },
  { program: 'internal', service: undefined },
  { program: 'edge', service: 'replica' },
  { program: 'edge', service: undefined },
  { program: 'edge', service: 'access' },
  { program: 'edge', service: 'av' },
  { program: 'edge', service: 'av-authentication' },
] as const;
export type Victim = (typeof victims)[number];

const STARTS = 3;

export function nameOf({ program, service }: Victim): string {
  return service === undefined ? `supervisor of ${program}` : service;
}

/** @param check what holds right after the kill, before anybody has come back */
export async function kill(
  perimeter: Perimeter,
  { program: name, service }: Victim,
  check: () => void,
): Promise<void> {
  const program: LabProgram = perimeter[name];
  const status = await program.status();
  const below = status?.services ?? [];
  if (service !== undefined) {
    // It may be on its way back from the round before; then there is nothing to kill.
    const pid = below.find((one) => one.name === service)?.pid;
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    check();
    return;
  }
  const pid = program.pid ?? assert.fail(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  await until('everything below has followed', () =>
    [pid, ...below.flatMap((one) => (one.pid === undefined ? [] : [one.pid]))].every((one) => !isAlive(one)),
  );
  check();
  await startAgain(program);
}

/** As a service manager does: a start that a busy machine did not let through is tried again. */
async function startAgain(program: LabProgram): Promise<void> {
  for (let left = STARTS - 1; left > 0; left--) {
    try {
      await program.start();
      return;
    } catch {
      await program.stop();
    }
  }
  await program.start();
}
