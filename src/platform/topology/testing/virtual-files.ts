import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { DocumentFiles, FileLook } from '../document/document-files.ts';

const certificate = readFileSync(join(import.meta.dirname, 'certificate.pem'), 'utf8');
const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
const mediaKey = `${'imagined'.repeat(5)}AAAA\n`;
const secret = 'an entirely imagined secret\n';

const BY_EXTENSION: Readonly<Record<string, string>> = {
  '.crt': certificate,
  '.key': key,
  '.media': mediaKey,
  '.secret': secret,
};

const BY_NAME: Readonly<Record<string, FileLook>> = {
  missing: { state: 'missing' },
  unreadable: { state: 'unreadable' },
  folder: { state: 'not-a-file' },
  huge: { state: 'too-large' },
  wrong: { state: 'file', mode: 0o100600, text: 'something else\n' },
  empty: { state: 'file', mode: 0o100600, text: '\n' },
  short: { state: 'file', mode: 0o100600, text: 'password\n' },
  encrypted: { state: 'file', mode: 0o100600, text: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n' },
  damaged: {
    state: 'file',
    mode: 0o100644,
    text: `${certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  },
};

/** Files whose state and content follow from their names: `certificates/missing.crt`, `secrets/open.secret`. */
export const virtualFiles: DocumentFiles = {
  look(path) {
    const extension = extname(path);
    const name = basename(path, extension);
    const text = BY_EXTENSION[extension] ?? '';
    if (name === 'open') return { state: 'file', mode: 0o100644, text };
    return BY_NAME[name] ?? { state: 'file', mode: extension === '.crt' ? 0o100644 : 0o100600, text };
  },
};
