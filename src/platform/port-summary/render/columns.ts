/** Text of several paragraphs, each of which begins on a line of its own. */
export type Cell = readonly string[];

/**
 * Words in lines of at most `width` characters, and at least 1. Breaks at plain spaces only; a longer word is cut,
 * behind a punctuation mark if there is one.
 */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((whole) => pieces(whole, width))) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (joined.length <= width) {
      line = joined;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  const cut: string[] = [];
  let rest = word;
  while (rest.length > width) {
    const fitting = rest.slice(0, width);
    const at = Math.max(...[...':./,-'].map((mark) => fitting.lastIndexOf(mark))) + 1;
    const length = at > 0 ? at : width;
    cut.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return [...cut, rest];
}

/** A column is as wide as its longest paragraph, but no wider than it may be. */
export function widthsOf(rows: readonly (readonly Cell[])[], most: readonly number[]): number[] {
  return most.map((limit, column) => {
    const lengths = rows.flatMap((row) => (row[column] ?? []).map((paragraph) => paragraph.length));
    return Math.min(limit, Math.max(1, ...lengths));
  });
}

const GAP = '  ';

/** One row of a table as lines, its cells wrapped side by side. */
export function rowLines(row: readonly Cell[], widths: readonly number[]): string[] {
  const columns = row.map((cell, column) =>
    cell.flatMap((paragraph) => wrapped(paragraph, widths[column] ?? 1)),
  );
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) =>
    columns
      .map((lines, column) => (lines[at] ?? '').padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** Lines with the same indentation before each, wrapped so that they end before `width`. */
export function indented(text: string, indentation: number, width: number): string[] {
  return wrapped(text, width - indentation).map((line) => `${' '.repeat(indentation)}${line}`);
}
