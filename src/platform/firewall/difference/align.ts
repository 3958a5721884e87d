import type { LoadedRule } from './listing.ts';

/** How two lists of rules differ, by indexes. */
export interface Alignment {
  /** Expected rules that are nowhere. */
  readonly missing: readonly number[];
  /** Expected rules that are there, but not in their place. */
  readonly moved: readonly number[];
  /** Loaded rules that nobody expects, and the index of the expected rule that follows, if one does. */
  readonly extra: readonly { readonly index: number; readonly before: number | undefined }[];
}

/** The rules that keep their order are the longest common subsequence; the fewest others are reported. */
export function alignRules(expected: readonly LoadedRule[], actual: readonly LoadedRule[]): Alignment {
  const wanted = expected.map(keyOf);
  const found = actual.map(keyOf);
  const lengths = commonLengths(wanted, found);
  const lacking: number[] = [];
  const surplus: { index: number; before: number | undefined }[] = [];
  for (let i = 0, j = 0; i < wanted.length || j < found.length; ) {
    if (i < wanted.length && j < found.length && wanted[i] === found[j]) {
      i += 1;
      j += 1;
    } else if (j < found.length && at(lengths, i, j + 1) >= at(lengths, i + 1, j)) {
      surplus.push({ index: j, before: i < wanted.length ? i : undefined });
      j += 1;
    } else {
      lacking.push(i);
      i += 1;
    }
  }
  return sorted(lacking, surplus, wanted, found);
}

/** What is lacking here and surplus there has only moved. */
function sorted(
  lacking: readonly number[],
  surplus: readonly { index: number; before: number | undefined }[],
  wanted: readonly string[],
  found: readonly string[],
): Alignment {
  const extra = [...surplus];
  const missing: number[] = [];
  const moved: number[] = [];
  for (const index of lacking) {
    const elsewhere = extra.findIndex((one) => found[one.index] === wanted[index]);
    if (elsewhere < 0) {
      missing.push(index);
    } else {
      extra.splice(elsewhere, 1);
      moved.push(index);
    }
  }
  return { missing, moved, extra };
}

/** Of the rest of both from each pair of places, the length of the longest common subsequence. */
function commonLengths(wanted: readonly string[], found: readonly string[]): number[][] {
  const lengths = Array.from({ length: wanted.length + 1 }, () => Array<number>(found.length + 1).fill(0));
  for (let i = wanted.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] ?? [];
    for (let j = found.length - 1; j >= 0; j -= 1) {
      row[j] =
        wanted[i] === found[j]
          ? at(lengths, i + 1, j + 1) + 1
          : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
    }
  }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}

/** What a rule does. The comment counts too: it says which rows the rule is for. */
function keyOf({ comment, statements }: LoadedRule): string {
  return JSON.stringify([statements, comment]);
}
