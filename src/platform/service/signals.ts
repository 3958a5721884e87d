import type { RunningProgram } from './run-program.ts';

/** SIGINT ends everything within so many milliseconds. */
const INTERRUPT_MS = 5000;

/**
 * What the signals of the supervisor mean: `SIGTERM` drains and stops within `stopMs`, `SIGINT` stops within 5
 * seconds, `SIGHUP` reloads. Gives a function that takes the handlers away.
 */
export function obeySignals(running: RunningProgram, stopMs: number): () => void {
  const handlers = {
    SIGTERM: () => void running.stop(stopMs, true),
    SIGINT: () => void running.stop(INTERRUPT_MS, false),
    SIGHUP: () => void running.reload('SIGHUP'),
  };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}
