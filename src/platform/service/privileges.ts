import { execFileSync } from 'node:child_process';
import { err, failure, ok, type Result } from '#kernel';

/** The types of the runtime leave this one out. */
type Process = NodeJS.Process & { initgroups?(user: string, extraGroup: number): void };

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The account by its name, from wherever the system keeps its accounts. */
export function lookUpAccount(name: string): Result<Account> {
  // No option can be meant by an account's name.
  if (!/^[a-z_][a-z0-9_.-]*\$?$/i.test(name))
    return err(failure('SLP-SVC-0006', `${name} is not an account name`));
  try {
    const uid = Number.parseInt(execFileSync('id', ['-u', name], { encoding: 'utf8', stdio: 'pipe' }), 10);
    const gid = Number.parseInt(execFileSync('id', ['-g', name], { encoding: 'utf8', stdio: 'pipe' }), 10);
    if (Number.isInteger(uid) && Number.isInteger(gid)) return ok({ name, uid, gid });
  } catch {
    // The same answer as for one without numbers.
  }
  return err(failure('SLP-SVC-0006', `there is no account ${name}`));
}

/**
 * Becomes the account for good: groups, group, user, in this order, then proves that there is no way back. Child
 * processes inherit it. Only root can.
 */
export function dropPrivileges(account: Account): Result<void> {
  const { name, uid, gid } = account;
  if (uid === 0) return err(failure('SLP-SVC-0006', `${name} is root`));
  try {
    (process as Process).initgroups?.(name, gid);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (error) {
    return err(failure('SLP-SVC-0006', `to ${name}: ${(error as Error).message}`, error));
  }
  const users = [process.getuid?.(), process.geteuid?.()];
  const groups = [process.getgid?.(), process.getegid?.()];
  if (users.some((id) => id !== uid) || groups.some((id) => id !== gid)) {
    return err(failure('SLP-SVC-0006', `to ${name}: still another account after the change`));
  }
  if (process.getgroups?.().includes(0) === true) {
    return err(failure('SLP-SVC-0006', `to ${name}: still in the group of root`));
  }
  return canReturnToRoot()
    ? err(failure('SLP-SVC-0006', `to ${name}: root can be taken back`))
    : ok(undefined);
}

function canReturnToRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

export function startedAsRoot(): boolean {
  return process.geteuid?.() === 0;
}
