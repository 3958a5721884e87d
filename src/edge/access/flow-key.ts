import { hkdfSync } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, failure, ok, type Random, type Result, randomToken } from '#kernel';
import type { SealSecrets } from './topology-hiding/index.ts';

const KEY_BYTES = 32;
/** What the check of the document asks of a shared secret; 32 random bytes in base64 have 44 characters. */
const SHORTEST_SECRET = 16;
const LONGEST_SECRET = 512;
const FILE = 'access-flow.key';

/** As in policy.pool. */
interface SharedKeys {
  readonly flowKeyFile?: string | undefined;
  readonly previousFlowKeyFiles: readonly string[];
}

/**
 * The secrets behind flow tokens and sealed values. With one that is the same for all edges of a pool, what one of them
 * sealed, the others know (RFC 5626 §5.3: 430, not 403); what this edge made by its own before it had that one opens still.
 */
export async function loadFlowKeys(
  stateDirectory: string,
  shared: SharedKeys,
  random: Random,
): Promise<Result<SealSecrets>> {
  const own = await loadOwnKey(stateDirectory, random);
  if (!own.ok) return own;
  const files = [
    ...(shared.flowKeyFile === undefined ? [] : [shared.flowKeyFile]),
    ...shared.previousFlowKeyFiles,
  ];
  const keys: Buffer[] = [];
  for (const file of files) {
    const key = await loadSharedKey(file);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  if (shared.flowKeyFile === undefined) return ok({ current: own.value, others: keys });
  const [current = own.value, ...others] = keys;
  return ok({ current, others: [...others, own.value] });
}

/** Made when it is not there yet, and outlives the process, so that after a restart tokens of before are dead, not forged. */
async function loadOwnKey(stateDirectory: string, random: Random): Promise<Result<Buffer>> {
  const file = join(stateDirectory, FILE);
  try {
    await mkdir(stateDirectory, { recursive: true });
    const found = await readFile(file).catch(() => undefined);
    const key = found ?? (await makeOwnKey(file, random));
    return key.length === KEY_BYTES ? ok(key) : err(failure('SLP-SIP-0401', `${file}: ${key.length} bytes`));
  } catch (problem) {
    return err(failure('SLP-SIP-0401', `${file}: ${(problem as Error).message}`, problem));
  }
}

/** Several processes may come here at once: the first one's file stands, whole from its first moment, and all read it. */
async function makeOwnKey(file: string, random: Random): Promise<Buffer> {
  const draft = `${file}.${randomToken(random, 12)}`;
  await writeFile(draft, random.bytes(KEY_BYTES), { flag: 'wx', mode: 0o600 });
  await link(draft, file).catch(unlessExists);
  await rm(draft);
  return readFile(file);
}

async function loadSharedKey(file: string): Promise<Result<Buffer>> {
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
