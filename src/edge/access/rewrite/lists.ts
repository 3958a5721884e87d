import type { MessageEdit } from '#protocols/sip';

/** Octets of a line that values are put together into; together, they might be longer than the next hop lets a line be. */
const LINE = 1024;

/** Puts a list in place of all fields of that name, mostly as one line. */
export function replaceWith(edit: MessageEdit, name: string, values: readonly string[]): void {
  const lines: string[] = [];
  for (const value of values) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + value.length <= LINE)
      lines[lines.length - 1] = `${last}, ${value}`;
    else lines.push(value);
  }
  const [first = '', ...others] = lines;
  edit.replace(name, first);
  for (const other of others) edit.append(name, other);
}
