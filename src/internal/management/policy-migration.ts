import { type Document, isMap, isSeq, parseDocument } from 'yaml';
import { err, type Failure, failure, ok, type Result } from '#kernel';

/** One form of the version before, and how it is written today. A step is kept for as long as the older form is read. */
interface Step {
  readonly title: string;
  /** @returns whether there was anything to do */
  apply(document: Document): boolean;
}

const steps: readonly Step[] = [
  {
    title: 'remoteAccess.onlyUsers becomes externalAccess',
    apply(document) {
      const listed = document.getIn(['remoteAccess', 'onlyUsers']);
      if (!isSeq(listed)) return false;
      const users = listed.toJSON() as unknown[];
      const before = document.getIn(['externalAccess', 'users']);
      const named = isSeq(before) ? (before.toJSON() as { user?: unknown }[]) : [];
      const known = new Set(named.map((one) => one.user));
      const others = users.filter((user) => !known.has(user));
      const federation = document.getIn(['externalAccess', 'federation']) !== false;
      document.deleteIn(['remoteAccess', 'onlyUsers']);
      const rest = document.get('remoteAccess');
      if (isMap(rest) && rest.items.length === 0) document.delete('remoteAccess');
      if (users.length === 0) return true;
      document.setIn(['externalAccess', 'remote'], false);
      const lines = [...named, ...others.map((user) => ({ user, remote: true, federation }))];
      document.setIn(['externalAccess', 'users'], document.createNode(lines));
      return true;
    },
  },
];

export interface Migrated {
  readonly text: string;
  /** What was done; empty when the text is of this version. */
  readonly done: readonly string[];
}

/** The text of a scope in the form of this version; comments stay. */
export function migrateText(text: string): Result<Migrated, Failure> {
  const document = parseDocument(text, { strict: true });
  const [problem] = document.errors;
  if (problem !== undefined) return err(failure('SLP-CFG-0021', problem.message));
  if (!isMap(document.contents)) return ok({ text, done: [] });
  const done = steps.filter((step) => step.apply(document)).map((step) => step.title);
  return ok({ text: done.length === 0 ? text : document.toString(), done });
}
