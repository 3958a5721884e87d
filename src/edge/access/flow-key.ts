import { hkdfSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, failure, ok, type Random, type Result } from '#kernel';

const KEY_BYTES = 32;
/** What the check of the document asks of a shared secret; 32 random bytes in base64 have 44 characters. */
const SHORTEST_SECRET = 16;
const LONGEST_SECRET = 512;
const FILE = 'access-flow.key';

/**
 * The secret behind flow tokens and sealed values, made when it is not there yet. It outlives the process, so that
 * after a restart a token of before is known as one of ours whose connection is gone (430), not as forged.
 */
export async function loadFlowKey(stateDirectory: string, random: Random): Promise<Result<Buffer>> {
  const file = join(stateDirectory, FILE);
  try {
    await mkdir(stateDirectory, { recursive: true });
    // Several processes may come here at once: the first one's file stands, all read it.
    await writeFile(file, random.bytes(KEY_BYTES), { flag: 'wx', mode: 0o600 }).catch(unlessExists);
    const key = await readFile(file);
    return key.length === KEY_BYTES ? ok(key) : err(failure('SLP-SIP-0401', `${file}: ${key.length} bytes`));
  } catch (problem) {
    return err(failure('SLP-SIP-0401', `${file}: ${(problem as Error).message}`, problem));
  }
}

/** The same for all edges of a pool: what one of them sealed, the others know (RFC 5626 §5.3: 430, not 403). */
export async function loadSharedFlowKey(file: string): Promise<Result<Buffer>> {
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    if (secret.length < SHORTEST_SECRET || secret.length > LONGEST_SECRET)
      return err(failure('SLP-SIP-0500', `${file}: ${secret.length} characters`));
    return ok(Buffer.from(hkdfSync('sha256', secret, '', 'sallyport access flow', KEY_BYTES)));
  } catch (problem) {
    return err(failure('SLP-SIP-0500', `${file}: ${(problem as Error).message}`, problem));
  }
}

function unlessExists(problem: NodeJS.ErrnoException): void {
  if (problem.code !== 'EEXIST') throw problem;
}
