import { type DatagramCounters, type DatagramError, datagramErrors } from '../datagrams.ts';

const names = ['received', 'receivedBytes', 'sent', 'sentBytes', 'queueFull', 'unread'] as const;

/** Counters that one thread writes and others read. @param words as of `FlowMemory.counters` */
export function sharedCounters(words: Float64Array): DatagramCounters {
  const counters = { errors: {} };
  for (const [at, name] of names.entries()) defineWord(counters, name, words, at);
  for (const [at, error] of datagramErrors.entries())
    defineWord(counters.errors, error, words, names.length + at);
  return counters as DatagramCounters;
}
function defineWord(of: object, name: string, words: Float64Array, at: number): void {
  Object.defineProperty(of, name, {
    enumerable: true,
    get: () => words[at] ?? 0,
    set: (value: number) => {
      words[at] = value;
    },
  });
}

/** The sum of several, as they are whenever one looks. */
export function summedCounters(parts: readonly DatagramCounters[]): DatagramCounters {
  const counters = { errors: {} };
  const define = (of: object, name: string, value: (part: DatagramCounters) => number) =>
    Object.defineProperty(of, name, {
      enumerable: true,
      get: () => parts.reduce((sum, part) => sum + value(part), 0),
    });
  for (const name of names) define(counters, name, (part) => part[name]);
  for (const error of datagramErrors)
    define(counters.errors, error, ({ errors }) => errors[error as DatagramError]);
  return counters as DatagramCounters;
}
