const endings = new Set<() => void>();

/** However the test ends, by an exception or by a signal too, `end` is called then: no program outlives it. */
export function endWithUs(end: () => void): void {
  if (endings.size === 0) {
    process.once('exit', () => {
      for (const one of endings) one();
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => process.exit(1));
  }
  endings.add(end);
}

/** Put before a command line, has the kernel end the program when this process is killed and can do nothing more. */
export function endedWithUs(signal: 'TERM' | 'INT'): readonly string[] {
  return ['setpriv', '--pdeathsig', signal];
}
