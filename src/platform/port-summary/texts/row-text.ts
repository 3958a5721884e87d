import type { RepeatedRowText, RowId, RowText } from './rows.ts';
import type { Texts } from './texts.ts';

/** The ids of all rows that there is something to tell about. */
export function rowIds(texts: Texts): readonly RowId[] {
  return Object.keys(texts.rows) as readonly RowId[];
}

/** A row of the plan without text is a bug; a test compares the two. */
export function rowText(texts: Texts, id: string): RepeatedRowText {
  const rows: Readonly<Record<string, RepeatedRowText>> = texts.rows;
  const text = rows[id];
  if (text === undefined) throw new TypeError(`nothing is written about the row ${id}`);
  return text;
}

/** What closing and opening a row means; for one that repeats another, what it means there. */
export function consequences(texts: Texts, id: string, sameAs: string | undefined): RowText {
  const text: RepeatedRowText & Partial<RowText> = rowText(texts, sameAs ?? id);
  const { closed, open } = text;
  if (closed === undefined || open === undefined)
    throw new TypeError(`nothing is written about closing ${id}`);
  return { ...rowText(texts, id), closed, open };
}
