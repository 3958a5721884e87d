import { parseTree, type Tree } from './scopes.ts';

/** One setting of a policy that is written, by its name in the reference: list items are `[]`. */
interface Written {
  readonly name: string;
  /** Line of the policy, counted from 1. */
  readonly line: number;
}

/**
 * The settings of a policy that an edge of an older version would refuse. An edge that does not say what it knows is asked
 * nothing.
 * @param policy as it was published: one setting a line
 * @param known names as the edge reports them
 */
export function unknownSettings(policy: string, known: readonly string[]): Written[] {
  if (known.length === 0) return [];
  const names = new Set(known);
  const tree = parseTree(policy);
  if (!tree.ok) return [];
  const found = new Map<string, Written>();
  for (const name of leavesOf(tree.value, '')) {
    if (names.has(name) || found.has(name)) continue;
    found.set(name, { name, line: lineOf(policy, name) });
  }
  return [...found.values()];
}

function leavesOf(tree: Tree, prefix: string): string[] {
  return [...tree].flatMap(([key, value]): string[] => {
    const name = `${prefix}${key}`;
    if (value instanceof Map) return leavesOf(value as Tree, `${name}.`);
    const sections = Array.isArray(value) ? value.filter((item) => item instanceof Map) : [];
    if (sections.length === 0) return [name];
    return sections.flatMap((item) => leavesOf(item as Tree, `${name}[].`));
  });
}

/** Where a setting stands in the compiled text, in which every section has an indent of two more than the one above it. */
function lineOf(policy: string, name: string): number {
  const lines = policy.split('\n');
  let at = -1;
  for (const [depth, step] of name
    .replace(/\[\].*$/, '')
    .split('.')
    .entries()) {
    at = lines.findIndex((line, index) => index > at && line.startsWith(`${'  '.repeat(depth)}${step}:`));
    if (at < 0) return 0;
  }
  // A section whose items have lines of their own: the first of them.
  return lines[at]?.endsWith(':') === true ? at + 2 : at + 1;
}
