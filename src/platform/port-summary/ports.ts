import type { PortRange } from '#platform/topology';
import type { Language } from './texts/texts.ts';

/** Shorter than so many digits a number has no separator in French either. */
const GROUPED_DIGITS = 5;
const NO_BREAK_SPACE = '\u00a0';

/** Ports for programs, and for people who write English: `443, 50000-59999`. */
export function portList(ranges: readonly PortRange[]): string {
  return ranges.map(portRange).join(', ');
}

export function portRange({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Ports for people: in French `50 000-59 999`, with no-break spaces. */
export function portProse(ranges: readonly PortRange[], language: Language): string {
  const plain = portList(ranges);
  if (language === 'en') return plain;
  return plain.replace(/\d+/g, (digits) =>
    digits.length < GROUPED_DIGITS ? digits : digits.replace(/\B(?=(?:\d{3})+$)/g, NO_BREAK_SPACE),
  );
}

/** Whether two ranges share a port. */
export function overlap(one: PortRange, other: PortRange): boolean {
  return one.first <= other.last && other.first <= one.last;
}
