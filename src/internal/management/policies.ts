import { parseDocument } from 'yaml';
import { err, type Failure, failure, ok, type Result } from '#kernel';
import { examinePolicy } from '#platform/topology';
import type { Database, Revision, Secret } from './database.ts';
import {
  type CompiledLine,
  compileLines,
  parseTree,
  type Scope,
  type ScopeText,
  type Tree,
  USER_SECTION,
  userOf,
} from './scopes.ts';

/** An edge as the document of the store names it. */
export interface ManagedEdge {
  readonly name: string;
  /** Undefined: the DNS has it. */
  readonly address?: string | undefined;
  readonly port: number;
  readonly site: string;
}

export interface Change {
  readonly scope: Scope;
  readonly text: string;
  readonly author: string;
  readonly reason: string;
}

/** The kinds of keys that the store makes and rolls. */
export const keyKinds = ['media', 'flow'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** Where the keys of the store lie on an edge, and which settings of a policy name them. */
export const KEY_FILES = {
  media: {
    prefix: 'secrets/media-',
    extension: '.media',
    section: 'mediaCredentials',
    current: 'keyFile',
    others: 'previousKeyFiles',
  },
  flow: {
    prefix: 'secrets/flow-',
    extension: '.secret',
    section: 'pool',
    current: 'flowKeyFile',
    others: 'previousFlowKeyFiles',
  },
} as const satisfies Record<KeyKind, object>;

/** The keys of one kind, newest first. */
export function keysOf(kind: KeyKind, secrets: readonly Secret[]): Secret[] {
  return secrets.filter((secret) => secret.name.startsWith(KEY_FILES[kind].prefix));
}

/** The organisation's policy: texts in scopes, and what they come to for one edge. */
export class Policies {
  readonly #database: Database;
  readonly #edges: () => readonly ManagedEdge[];

  constructor(database: Database, edges: () => readonly ManagedEdge[]) {
    this.#database = database;
    this.#edges = edges;
  }

  text(scope: Scope): string {
    return this.#database.latest().find((revision) => revision.scope === scope)?.text ?? '';
  }

  /** The policy of one edge, line by line; for undefined what counts everywhere. */
  compile(
    edge: ManagedEdge | undefined,
    latest: readonly Revision[] = this.#database.latest(),
  ): Result<CompiledLine[]> {
    const texts: ScopeText[] = [{ scope: 'global', revision: 0, tree: keyTree(this.#database) }];
    const wanted: Scope[] = [
      'global',
      ...(edge === undefined ? [] : ([`site/${edge.site}`, `service/${edge.name}`] as const)),
    ];
    const users = latest.map(({ scope }) => scope).filter((scope) => userOf(scope) !== undefined);
    const newest = new Map(latest.map((revision) => [revision.scope, revision]));
    for (const scope of [...wanted, ...users]) {
      const revision = newest.get(scope);
      if (revision === undefined) continue;
      const tree = parseTree(revision.text);
      if (!tree.ok) return tree;
      texts.push({ scope, revision: revision.id, tree: tree.value });
    }
    return ok(compileLines(texts));
  }

  /** Validates a change for every edge that it touches, then stores it; any problem and nothing is stored. */
  change(change: Change, at: number): Result<void, Failure[]> {
    const tree = parseTree(change.text);
    if (!tree.ok) return err([tree.error]);
    const stranger = [...tree.value.keys()].find((key) => key !== USER_SECTION);
    if (userOf(change.scope) !== undefined && stranger !== undefined) {
      const detail = `${change.scope}: ${stranger} does not differ by user: write ${USER_SECTION}: { remote, federation, publicProviders, publicProviderMedia }`;
      return err([failure('SLP-CFG-0022', detail)]);
    }
    const latest = this.#database.latest().filter((revision) => revision.scope !== change.scope);
    const problems = this.problems([...latest, { ...change, id: 0, at }]);
    if (problems.length > 0) return err(problems);
    this.#database.revise({ ...change, at });
    return ok(undefined);
  }

  /** What is wrong with the policy of each edge, each thing once. */
  problems(latest: readonly Revision[] = this.#database.latest()): Failure[] {
    const edges = this.#edges();
    const found = new Map<string, Failure>();
    for (const edge of edges.length === 0 ? [undefined] : edges) {
      const compiled = this.compile(edge, latest);
      const problems = compiled.ok ? policyProblems(compiled.value, edge) : [compiled.error];
      for (const problem of problems) found.set(problem.message, problem);
    }
    return [...found.values()];
  }

  /** The text of a scope with one setting changed or, without a value, removed; comments stay. */
  edited(scope: Scope, path: string, value: string | undefined): Result<string> {
    const steps = path.replace(/^policy\./, '').split('.');
    if (steps.some((step) => !/^[A-Za-z][A-Za-z0-9]*$/.test(step))) return err(failure('SLP-CFG-0023', path));
    const document = parseDocument(this.text(scope));
    if (document.contents === null) document.contents = document.createNode({}) as never;
    if (value === undefined) {
      if (!document.hasIn(steps)) return err(failure('SLP-CFG-0023', `${path} is not written in ${scope}`));
      document.deleteIn(steps);
      return ok(document.toString());
    }
    const parsed = parseDocument(value, { strict: true });
    if (parsed.errors.length > 0) return err(failure('SLP-CFG-0021', parsed.errors[0]?.message));
    try {
      document.setIn(steps, parsed.contents);
    } catch (error) {
      return err(failure('SLP-CFG-0023', `${path}: ${(error as Error).message}`));
    }
    return ok(document.toString());
  }

  /** What one path is: in a scope, or for an edge. */
  value(tree: Tree, path: string): unknown {
    let value: unknown = tree;
    for (const step of path === ''
      ? []
      : path
          .replace(/^policy\.?/, '')
          .split('.')
          .filter((one) => one !== '')) {
      value = value instanceof Map ? value.get(step) : undefined;
    }
    return value;
  }
}

/**
 * The key that the policy names as the one in use. It changes with a roll alone, where another version follows anyway:
 * what is used since is said by an activation, so that one roll is one version.
 */
export function writtenKey(kind: KeyKind, database: Database): Secret | undefined {
  const keys = keysOf(kind, database.secrets());
  const name = database.fact(`written ${kind}`);
  return keys.find((key) => key.name === name) ?? keys.find((key) => key.state === 'current');
}
export function noteWritten(kind: KeyKind, database: Database, key: Secret | undefined): void {
  if (key !== undefined) database.setFact(`written ${kind}`, key.name);
}

/** The keys of the store as settings: of each kind the one that is written as used, and those that count besides. */
function keyTree(database: Database): Tree {
  const sections = new Map<string, Map<string, unknown>>();
  const secrets = database.secrets();
  for (const kind of keyKinds) {
    const { section, current: used, others: besides } = KEY_FILES[kind];
    const written = writtenKey(kind, database)?.name;
    if (written === undefined) continue;
    const names = keysOf(kind, secrets).map((key) => key.name);
    const others = names.filter((name) => name !== written);
    const settings = new Map<string, unknown>([[used, written]]);
    if (others.length > 0) settings.set(besides, others);
    sections.set(section, settings);
  }
  return sections;
}

export function textOf(lines: readonly CompiledLine[]): string {
  return lines.map((line) => `${line.text}\n`).join('');
}

/** Errors of a compiled policy, each with the scope and revision that it comes from. */
export function policyProblems(lines: readonly CompiledLine[], edge: ManagedEdge | undefined): Failure[] {
  const { findings, document } = examinePolicy(textOf(lines), 'policy.yaml');
  const problems = findings
    .filter((finding) => finding.severity === 'error')
    .map(({ line, rule, what, instead }) => {
      const at = lines[line - 1];
      // A section has no origin of its own; what is unknown as a whole was written by whoever wrote the first of it.
      const origin = at?.scope === undefined && rule === 'unknown-key' ? lines[line] : at;
      const place = origin?.scope === undefined ? '' : `${origin.scope}: `;
      return failure('SLP-CFG-0022', `${place}${what}: ${instead}`);
    });
  if (edge !== undefined && document !== undefined && !document.policy.features.replication) {
    const what = `${edge.name} would close the port by which it is configured`;
    problems.push(failure('SLP-CFG-0022', `${what}: write policy.features.replication: true`));
  }
  return problems;
}
