interface Ending {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  kill(signal: NodeJS.Signals): boolean;
}

const children = new Set<Ending>();

/** However the test ends, by an exception or by a signal too, this process does not outlive it. */
export function endWithUs(child: Ending): void {
  if (children.size === 0) {
    process.once('exit', endAll);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  }
  children.add(child);
}

function endAll(): void {
  for (const child of children) {
    // Politely, so that a program of several processes takes its own along.
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  }
}
