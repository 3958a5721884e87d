import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `24h`, `7d` in milliseconds. */
export function parseDuration(text: string): number {
  const parts = /^(\d{1,6})([smhd])$/.exec(text);
  const length = Number(parts?.[1]) * (UNITS[parts?.[2] ?? ''] ?? 0);
  if (length > 0) return length;
  throw new InvalidArgumentError('Write a number and a unit: 90s, 30m, 24h, 7d.');
}
