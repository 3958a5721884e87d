import { z } from 'zod';
import { type Clock, type Failure, FailureError, failure, type Result } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import { encodeActivation, encodePush, isSealingPublicKey, type SigningKey } from '#protocols/replication';
import type { Database } from './database.ts';
import type { LinkOptions } from './edge-link.ts';
import { testEdge } from './edge-test.ts';
import { migrate } from './migration.ts';
import { keyKinds, type ManagedEdge, type Policies } from './policies.ts';
import type { Publisher } from './publisher.ts';
import { parseScope, parseTree, type Scope } from './scopes.ts';
import { reportOf, statusOf } from './status.ts';
import type { StoreKeys } from './store-keys.ts';

/** What the verbs work on. */
export interface Managed {
  readonly host: string;
  readonly database: Database;
  readonly policies: Policies;
  readonly publisher: Publisher;
  readonly keys: StoreKeys;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly edges: readonly ManagedEdge[];
  readonly link: LinkOptions;
  /** @returns the edges for which there is something new */
  readonly publish: (author: string, reason: string) => string[];
  readonly kick: (edge: string, full?: boolean) => void;
}

const who = { author: z.string().min(1).max(128), reason: z.string().max(1024).default('') };
const scope = z.string().max(300).default('global');
const nothing = z.strictObject({});

/** Every verb of the management store. */
export function verbsOf(find: () => Managed | undefined): Readonly<Record<string, VerbHandler>> {
  const managed = (): Managed => {
    const found = find();
    if (found === undefined) throw new FailureError(failure('SLP-SVC-0001', 'management'));
    return found;
  };
  return { ...policyVerbs(managed), ...edgeVerbs(managed) };
}

function policyVerbs(managed: () => Managed): Record<string, VerbHandler> {
  return {
    text: verb(z.strictObject({ scope }), ({ scope: name }) => ({
      text: managed().policies.text(scopeOf(name)),
    })),
    show: verb(z.strictObject({ edge: z.string() }), ({ edge }) => {
      const { policies, keys } = managed();
      return { lines: take(policies.compile(edgeOf(managed(), edge))), inUse: keys.inUse() ?? null };
    }),
    value: verb(z.strictObject({ path: z.string().max(300), scope: scope }), ({ path, scope: name }) => {
      const { policies } = managed();
      const found = policies.value(take(parseTree(policies.text(scopeOf(name)))), path);
      return { value: plain(found) ?? null };
    }),
    set: verb(
      z.strictObject({ scope, path: z.string().max(300), value: z.string().max(262_144).optional(), ...who }),
      ({ scope: name, path, value, author, reason }) => {
        const wanted = scopeOf(name);
        const text = take(managed().policies.edited(wanted, path, value));
        return change(managed(), wanted, text, author, reason === '' ? `set ${path}` : reason);
      },
    ),
    replace: verb(
      z.strictObject({ scope, text: z.string().max(262_144), ...who }),
      ({ scope: name, text, author, reason }) => change(managed(), scopeOf(name), text, author, reason),
    ),
    log: verb(
      z.strictObject({ scope: z.string().optional(), limit: z.int().min(1).max(1000).default(50) }),
      ({ scope: name, limit }) => ({
        revisions: managed().database.history(name === undefined ? undefined : scopeOf(name), limit),
      }),
    ),
    versions: verb(z.strictObject({ limit: z.int().min(1).max(1000).default(50) }), ({ limit }) => ({
      versions: managed().publisher.versions(limit),
    })),
    migrate: verb(z.strictObject({ author: who.author }), ({ author }) => {
      const all = managed();
      const report = migrate(all.database, all.policies, { author, at: all.clock.wall() });
      return { ...report, edges: all.publish(author, 'migrated') };
    }),
    revision: verb(z.strictObject({ id: z.int() }), ({ id }) => revisionOf(managed(), id)),
    revert: verb(z.strictObject({ id: z.int(), ...who }), ({ id, author, reason }) => {
      const { scope: name, text } = revisionOf(managed(), id);
      return change(managed(), name, text, author, reason === '' ? `back to revision ${id}` : reason);
    }),
  };
}

function edgeVerbs(managed: () => Managed): Record<string, VerbHandler> {
  return {
    status: verb(nothing, () => {
      const { host, database, key, keys, edges } = managed();
      const heartbeats = edges.map((edge) => database.edge(edge.name)?.tried ?? 0);
      const heartbeat = Math.max(0, ...heartbeats);
      return statusOf({ host, database, key, keys, edges, heartbeat: heartbeat === 0 ? null : heartbeat });
    }),
    replicate: verb(
      z.strictObject({
        edge: z.string().optional(),
        full: z.boolean().default(false),
        adopt: z.boolean().default(false),
        author: who.author,
      }),
      ({ edge, full, adopt, author }) => {
        const all = managed();
        const chosen = edge === undefined ? all.edges : [edgeOf(all, edge)];
        if (adopt) for (const one of chosen) adoptFrom(all, one, author);
        for (const { name } of chosen) all.kick(name, full);
        return { edges: chosen.map((one) => one.name) };
      },
    ),
    trust: verb(z.strictObject({ edge: z.string(), author: who.author }), ({ edge, author }) => {
      const all = managed();
      const { name } = edgeOf(all, edge);
      const shown = reportOf(all.database.edge(name))?.sealingKey;
      if (shown === undefined) throw new FailureError(failure('SLP-CFG-0025', name));
      all.database.noteEdge(name, { sealingKey: shown });
      all.publish(author, `trusts the sealing key of ${name}`);
      all.kick(name);
      return { edge: name };
    }),
    test: verb(z.strictObject({ edge: z.string() }), async ({ edge }) => {
      return { steps: await testEdge(edgeOf(managed(), edge), managed()) };
    }),
    'keys-roll': verb(
      z.strictObject({ keys: z.enum([...keyKinds, 'all']).default('all'), author: who.author }),
      ({ keys, author }) => {
        const all = managed();
        const names = take(all.keys.roll(keys === 'all' ? keyKinds : [keys]));
        return { names, edges: all.publish(author, `new keys: ${names.join(', ')}`) };
      },
    ),
    export: verb(
      z.strictObject({ edge: z.string(), sealingKey: z.string().optional() }),
      ({ edge, sealingKey }) => {
        return exportFor(managed(), edgeOf(managed(), edge), sealingKey);
      },
    ),
  };
}

function change(all: Managed, name: Scope, text: string, author: string, reason: string) {
  const stored = all.policies.change({ scope: name, text, author, reason }, all.clock.wall());
  if (!stored.ok) {
    const [first, ...others] = stored.error;
    const more = others.map((problem) => `\n${problem.message}`).join('');
    throw new FailureError(
      first === undefined ? failure('SLP-CFG-0022') : { ...first, message: `${first.message}${more}` },
    );
  }
  return { revision: all.database.history(name, 1)[0]?.id ?? 0, edges: all.publish(author, reason) };
}

function adoptFrom(all: Managed, edge: ManagedEdge, author: string): void {
  const head = reportOf(all.database.edge(edge.name))?.head;
  if (head === undefined || head === null) throw new FailureError(failure('SLP-CFG-0025', edge.name));
  if (all.database.byHash(edge.name, head.hash) !== undefined) return;
  all.publisher.adopt(edge.name, head);
  all.publish(author, `takes ${edge.name} over from version ${head.version}`);
}

function exportFor(all: Managed, { name }: ManagedEdge, sealingKey: string | undefined) {
  if (sealingKey !== undefined) {
    if (!isSealingPublicKey(sealingKey))
      throw new FailureError(failure('SLP-CFG-0015', `${name}: not a key`));
    const pinned = all.database.edge(name)?.sealingKey;
    if (pinned !== undefined && pinned !== sealingKey) throw new FailureError(failure('SLP-CFG-0015', name));
    all.database.noteEdge(name, { sealingKey });
    all.publish('sallyport', `first export for ${name}`);
  }
  const push = take(all.publisher.pushFor(name, undefined, true));
  if (push === 'up-to-date') throw new Error('an export is never up to date');
  const encoded = encodePush(push);
  if (!encoded.ok) throw new FailureError(encoded.error.failure);
  const activation = all.keys.activationForFile(name);
  return {
    snapshot: encoded.value.toString('base64'),
    ...(activation === undefined ? {} : { activation: encodeActivation(activation).toString('base64') }),
    fingerprint: all.key.fingerprint,
  };
}

function scopeOf(text: string): Scope {
  return take(parseScope(text));
}
function edgeOf(all: Managed, name: string): ManagedEdge {
  const edge = all.edges.find((candidate) => candidate.name === name.toLowerCase());
  if (edge === undefined) throw new FailureError(failure('SLP-CFG-0034', name));
  return edge;
}
function revisionOf(all: Managed, id: number) {
  const revision = all.database.revision(id);
  if (revision === undefined) throw new FailureError(failure('SLP-CFG-0035', String(id)));
  return revision;
}
function plain(value: unknown): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
function take<T>(result: Result<T, Failure>): T {
  if (result.ok) return result.value;
  throw new FailureError(result.error);
}
