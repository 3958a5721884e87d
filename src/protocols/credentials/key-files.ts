import { err, type Failure, failure, ok, type Result } from '#kernel';
import type { RelayAccount } from './accounts.ts';
import { type MediaKeyRing, parseMediaKeyRing } from './key-ring.ts';
import { parseRestSecret } from './rest.ts';

/** Reads a whole file; throws as `readFileSync` does. */
export type ReadFile = (file: string) => Uint8Array;

/** Reads and parses media key files; the first that is not usable is the failure, which names the file. */
export function readMediaKeys(files: readonly string[], read: ReadFile): Result<MediaKeyRing[], Failure> {
  return readAll(files, read, parseMediaKeyRing);
}

/** The same for static secrets. */
export function readRestSecrets(files: readonly string[], read: ReadFile): Result<Buffer[], Failure> {
  return readAll(files, read, parseRestSecret);
}

/** Accounts of the document with the passwords in their files, which have the form of static secrets. */
export function readAccounts(
  accounts: readonly { readonly name: string; readonly passwordFile: string }[],
  read: ReadFile,
): Result<RelayAccount[], Failure> {
  const found: RelayAccount[] = [];
  for (const { name, passwordFile } of accounts) {
    const password = readRestSecrets([passwordFile], read);
    if (!password.ok) return password;
    for (const value of password.value) found.push({ name, password: value });
  }
  return ok(found);
}

function readAll<T>(
  files: readonly string[],
  read: ReadFile,
  parse: (bytes: Uint8Array) => Result<T, Failure>,
): Result<T[], Failure> {
  const values: T[] = [];
  for (const file of files) {
    let bytes: Uint8Array;
    try {
      bytes = read(file);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      return err(failure('SLP-AV-0203', `${file}: ${code}`));
    }
    const parsed = parse(bytes);
    if (!parsed.ok) return err({ ...parsed.error, message: `${parsed.error.message} (${file})` });
    values.push(parsed.value);
  }
  return ok(values);
}
