import { existsSync, lchownSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import type { Log } from '#platform/telemetry';
import { type Account, dropPrivileges, lookUpAccount, startedAsRoot } from './privileges.ts';
import type { HostSettings } from './program.ts';

/**
 * What has to be done as the account that started the program, after the sockets are bound: the folders for runtime
 * files, then the change to `host.runAs`.
 */
export function becomeServer(host: HostSettings, log: Log): Result<void> {
  const account = accountFor(host, log);
  if (!account.ok) return account;
  const folders = makeFolders([host.stateDirectory, dirname(host.administration.socket)], account.value);
  if (!folders.ok || account.value === undefined) return folders;
  const dropped = dropPrivileges(account.value);
  if (dropped.ok) log.info('privilege dropped', { account: account.value.name, uid: account.value.uid });
  return dropped;
}

function accountFor(host: HostSettings, log: Log): Result<Account | undefined> {
  if (!startedAsRoot()) return ok(undefined);
  if (host.runAs === undefined) {
    log.warn('running as root', { remedy: 'name an account in host.runAs' });
    return ok(undefined);
  }
  return lookUpAccount(host.runAs);
}

/** Folders that it makes, those on the way too, belong to the account and are nobody else's business. */
function makeFolders(folders: readonly string[], account: Account | undefined): Result<void> {
  for (const folder of folders) {
    if (existsSync(folder)) continue;
    try {
      const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (account !== undefined && first !== undefined) give(folder, first, account);
    } catch (error) {
      return err(failure('SLP-SVC-0007', `${folder} cannot be made: ${(error as Error).message}`, error));
    }
  }
  return ok(undefined);
}

/** From `folder` up to `first`; a link that somebody puts in the place of one is not followed. */
function give(folder: string, first: string, account: Account): void {
  const top = resolve(first);
  for (let made = resolve(folder); made.startsWith(top); made = dirname(made)) {
    lchownSync(made, account.uid, account.gid);
    if (made === top) return;
  }
}
