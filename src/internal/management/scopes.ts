import { parseDocument } from 'yaml';
import { err, failure, ok, type Result } from '#kernel';

/**
 * Where a policy counts. From the widest to the narrowest: everywhere, at one site, on one edge. A narrower one wins,
 * setting by setting; a list counts as one setting. What counts for one user alone is the user's external access: it takes
 * the user's place in `policy.externalAccess.users` of every edge.
 */
export type Scope = 'global' | `site/${string}` | `service/${string}` | `user/${string}`;

/** Longest text of one scope. Characters. */
const LONGEST_TEXT = 262_144;
const SCOPE = /^(?:global|(?:site|service|user)\/[^\p{C}]{1,253})$/u;

export function parseScope(text: string): Result<Scope> {
  if (SCOPE.test(text)) return ok(text as Scope);
  return err(
    failure(
      'SLP-CFG-0020',
      `${JSON.stringify(text.slice(0, 60))}: write global, site/NAME, service/EDGE or user/ADDRESS`,
    ),
  );
}

/** What stands in a scope: sections as maps, everything else as it is. */
export type Tree = Map<string, unknown>;

/** Reads the text of a scope: the settings below `policy`, in YAML without aliases. */
export function parseTree(text: string): Result<Tree> {
  if (text.length > LONGEST_TEXT) return err(failure('SLP-CFG-0021', `more than ${LONGEST_TEXT} characters`));
  const document = parseDocument(text, { strict: true, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const line = text.slice(0, problem.pos[0]).split('\n').length;
    return err(failure('SLP-CFG-0021', `line ${line}: ${problem.message}`));
  }
  let value: unknown;
  try {
    value = document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch (error) {
    return err(failure('SLP-CFG-0021', (error as Error).message));
  }
  if (value === null || value === undefined) return ok(new Map());
  const tree = asTree(value);
  return tree === undefined ? err(failure('SLP-CFG-0021', 'write key: value lines')) : ok(tree);
}

function asTree(value: unknown): Tree | undefined {
  if (!(value instanceof Map)) return undefined;
  return [...value.keys()].every((key) => typeof key === 'string') ? (value as Tree) : undefined;
}

/** One setting of a compiled policy, with where it comes from. */
export interface CompiledLine {
  /** One line of policy.yaml. */
  readonly text: string;
  /** Undefined for a section. */
  readonly scope: Scope | undefined;
  readonly revision: number | undefined;
}

interface Origin {
  readonly scope: Scope;
  readonly revision: number;
}
interface Leaf extends Origin {
  readonly value: unknown;
  /** A list whose items come from scopes of their own. */
  readonly items?: readonly (Origin & { readonly value: unknown })[];
}
type Merged = Map<string, Merged | Leaf>;

export interface ScopeText {
  readonly scope: Scope;
  readonly revision: number;
  readonly tree: Tree;
}

/** Compiles scopes, widest first, to the lines of a policy.yaml: the same input gives the same bytes. */
export function compileLines(scopes: readonly ScopeText[]): CompiledLine[] {
  const merged: Merged = new Map();
  const user = (text: ScopeText) => userOf(text.scope) !== undefined;
  for (const { scope, revision, tree } of scopes.filter((text) => !user(text)))
    merge(merged, tree, scope, revision);
  mergeUsers(merged, scopes.filter(user));
  return [{ text: 'policy:', scope: undefined, revision: undefined }, ...lines(merged, 1)];
}

/** The address in `user/ADDRESS`. */
export function userOf(scope: Scope): string | undefined {
  return scope.startsWith('user/') ? scope.slice('user/'.length).toLowerCase() : undefined;
}

/** What a scope of a user may say, and where it goes. */
export const USER_SECTION = 'externalAccess';
const USERS = 'users';

/** A user's own scope takes the place of a line about that user in a wider one. */
function mergeUsers(merged: Merged, scopes: readonly ScopeText[]): void {
  const own = scopes.flatMap(({ scope, revision, tree }) => {
    const rights = asTree(tree.get(USER_SECTION));
    const user = userOf(scope);
    return rights === undefined || user === undefined
      ? []
      : [{ user, scope, revision, value: new Map<string, unknown>([['user', user], ...rights]) }];
  });
  if (own.length === 0) return;
  const known = merged.get(USER_SECTION);
  const section: Merged = known instanceof Map ? known : new Map();
  merged.set(USER_SECTION, section);
  const wider = section.get(USERS);
  const listed = wider === undefined || wider instanceof Map ? [] : asList(wider.value);
  const names = new Set(own.map(({ user }) => user));
  const others = listed.filter((item) => !names.has(String(asTree(item)?.get('user')).toLowerCase()));
  const items = [
    ...others.map((value) => ({ ...(wider as Leaf), value })),
    ...own.sort((a, b) => (a.user < b.user ? -1 : 1)),
  ];
  section.set(USERS, { value: [], items, scope: 'global', revision: 0 });
}
function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function merge(into: Merged, tree: Tree, scope: Scope, revision: number): void {
  for (const [key, value] of tree) {
    const section = asTree(value);
    if (section === undefined) {
      into.set(key, { value, scope, revision });
      continue;
    }
    const known = into.get(key);
    const below: Merged = known instanceof Map ? known : new Map();
    into.set(key, below);
    merge(below, section, scope, revision);
  }
}

function lines(merged: Merged, depth: number): CompiledLine[] {
  const indent = '  '.repeat(depth);
  return [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]): CompiledLine[] => {
      const name = /^[A-Za-z][A-Za-z0-9]*$/.test(key) ? key : JSON.stringify(key);
      if (!(value instanceof Map)) {
        const { scope, revision, items } = value;
        if (items !== undefined) return itemLines(`${indent}${name}:`, `${indent}  `, items);
        return [{ text: `${indent}${name}: ${JSON.stringify(plain(value.value))}`, scope, revision }];
      }
      const below = lines(value, depth + 1);
      return below.length === 0
        ? []
        : [{ text: `${indent}${name}:`, scope: undefined, revision: undefined }, ...below];
    });
}

function itemLines(head: string, indent: string, items: NonNullable<Leaf['items']>): CompiledLine[] {
  const lines = items.map(({ value, scope, revision }) => {
    return { text: `${indent}- ${JSON.stringify(plain(value))}`, scope, revision };
  });
  return [{ text: head, scope: undefined, revision: undefined }, ...lines];
}

/** Maps within lists become objects, which JSON, and so YAML, can write. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), plain(inner)]));
  return value;
}
