import { type ChildProcess, spawn } from 'node:child_process';
import { type CommandOutcome, runOnHost } from '../difference/loaded.ts';

/** Why a test of real packets cannot run here; false when it can. */
export const needsRoot: string | false =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'network namespaces need root on Linux';

/** A network namespace of a test, with a name of its own on this machine. */
export interface Namespace {
  readonly name: string;
  open(): void;
  close(): void;
  run(program: string, parameters: readonly string[], input?: string): CommandOutcome;
  /** Its output; throws when the program fails. */
  must(program: string, parameters: readonly string[], input?: string): string;
  start(program: string, parameters: readonly string[]): ChildProcess;
}

export function namespace(role: string): Namespace {
  const name = `slpfw-${process.pid}-${role}`;
  const run = (program: string, parameters: readonly string[], input?: string) =>
    runOnHost('ip', ['netns', 'exec', name, program, ...parameters], input);
  const must = (program: string, parameters: readonly string[], input?: string): string =>
    outcomeOf(run(program, parameters, input), program, parameters);
  return {
    name,
    open() {
      outcomeOf(runOnHost('ip', ['netns', 'add', name]), 'ip', ['netns', 'add']);
      must('ip', ['link', 'set', 'lo', 'up']);
      // Nobody else is on these links, and addresses that are still tentative answer nobody.
      must('sysctl', ['-qw', 'net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0']);
    },
    close() {
      runOnHost('ip', ['netns', 'delete', name]);
    },
    run,
    must,
    start: (program, parameters) =>
      spawn('ip', ['netns', 'exec', name, program, ...parameters], { stdio: ['pipe', 'pipe', 'inherit'] }),
  };
}

function outcomeOf(
  { status, out, error }: CommandOutcome,
  program: string,
  parameters: readonly string[],
): string {
  if (status !== 0) throw new Error(`${program} ${parameters.join(' ')}: ${error}`);
  return out;
}

/** Joins two namespaces by a cable; each end is named after the role of the other side. */
export function cable(a: Namespace, nameAtA: string, b: Namespace, nameAtB: string): void {
  const parameters = ['link', 'add', nameAtA, 'type', 'veth', 'peer', 'name', nameAtB, 'netns', b.name];
  a.must('ip', parameters);
  a.must('ip', ['link', 'set', nameAtA, 'up']);
  b.must('ip', ['link', 'set', nameAtB, 'up']);
}

/** Gives an interface its addresses, `192.0.2.1/24`; IPv6 ones are usable at once. */
export function addresses(host: Namespace, device: string, ...list: readonly string[]): void {
  for (const address of list) {
    const nodad = address.includes(':') ? ['nodad'] : [];
    host.must('ip', ['address', 'add', address, 'dev', device, ...nodad]);
  }
}
