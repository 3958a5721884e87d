import { X509Certificate } from 'node:crypto';
import { parseMediaKeyRing, parseRestSecret } from '#protocols/credentials';
import type { DocumentFiles, FileLook } from '../document/document-files.ts';
import type { ReadSetting } from '../document/read-document.ts';
import { type Path, pathText, quote } from '../finding.ts';
import type { FileContent } from '../schema/setting.ts';
import type { Rule, Say } from './rule.ts';

export interface FileFacts {
  readonly settings: readonly ReadSetting[];
  readonly files: DocumentFiles;
}

type FileCheck = (file: NamedFile, say: Say) => void;

interface NamedFile {
  readonly at: Path;
  readonly file: string;
  readonly content: FileContent;
  readonly look: FileLook;
}

function fileRule(name: string, check: FileCheck): Rule<FileFacts> {
  return {
    name,
    check(facts, say) {
      for (const file of namedFiles(facts)) check(file, say);
    },
  };
}

function* namedFiles({ settings, files }: FileFacts): Generator<NamedFile> {
  for (const { path, notes, value } of settings) {
    if (notes.file === undefined) continue;
    const named: [Path, unknown][] = Array.isArray(value)
      ? value.map((item, index) => [[...path, index], item])
      : [[path, value]];
    for (const [at, file] of named) {
      // Left out, it is the file of another setting, which is looked at there.
      if (typeof file === 'string' && file !== '')
        yield { at, file, content: notes.file, look: files.look(file) };
    }
  }
}

const PROBLEMS: Readonly<Record<Exclude<FileLook['state'], 'file' | 'missing'>, [string, string]>> = {
  unreadable: ['cannot be read', 'let this user read it (ls -l shows owner and mode)'],
  'not-a-file': ['is not an ordinary file', 'write the path of the file itself'],
  'too-large': ['is larger than 1 MiB', 'write the path of the right file'],
};

/** Every file that a setting names is there. */
const fileMissing = fileRule('file-missing', ({ at, file, look }, say) => {
  if (look.state !== 'missing') return;
  const instead = 'write the path of the file, relative to this document, or create it';
  say(at, 'error', `${pathText(at)}: ${quote(file)} does not exist`, instead);
});

/** And it can be read. */
const fileUnreadable = fileRule('file', ({ at, file, look }, say) => {
  if (look.state === 'file' || look.state === 'missing') return;
  const [problem, instead] = PROBLEMS[look.state];
  say(at, 'error', `${pathText(at)}: ${quote(file)} ${problem}`, instead);
});

/** The files hold what is asked of them. */
const fileContent = fileRule('file-content', ({ at, file, content, look }, say) => {
  if (look.state !== 'file') return;
  const problem = contentProblem(content, look.text);
  if (problem !== undefined) say(at, 'error', `${pathText(at)}: ${quote(file)} ${problem[0]}`, problem[1]);
});

const MEDIA_KEY = 'write 32 random bytes in base64 into it: openssl rand -base64 32';
const SHARED_SECRET = 'write one line of 16 to 512 characters into it, the same as at the other system';

function contentProblem(content: FileContent, text: string): [string, string] | undefined {
  if (content === 'media-key') {
    return parseMediaKeyRing(Buffer.from(text)).ok ? undefined : ['is not a media key', MEDIA_KEY];
  }
  if (content === 'shared-secret') {
    return parseRestSecret(Buffer.from(text)).ok ? undefined : ['is not a shared secret', SHARED_SECRET];
  }
  if (content === 'certificates') return certificateProblem(text);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    const instead = 'decrypt it with openssl pkey, and protect the file by its mode';
    return ['holds an encrypted key, and nobody is there to be asked for the passphrase', instead];
  }
  if (/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text)) return undefined;
  return ['holds no private key in PEM form', 'write the path of a file with -----BEGIN PRIVATE KEY-----'];
}

function certificateProblem(text: string): [string, string] | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    return ['holds no certificate in PEM form', 'write the path of a file with -----BEGIN CERTIFICATE-----'];
  }
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      return [`holds a damaged certificate (number ${index + 1})`, 'export the certificate again'];
    }
  }
  return undefined;
}

/** Others may read, or the group may write. */
const TOO_OPEN = 0o027;

/** Keys and secrets are nobody else's business. */
const filePermissions = fileRule('file-permissions', ({ at, file, content, look }, say) => {
  if (look.state !== 'file' || content === 'certificates' || (look.mode & TOO_OPEN) === 0) return;
  const mode = (look.mode & 0o777).toString(8).padStart(4, '0');
  say(at, 'warning', `${pathText(at)}: ${quote(file)} has mode ${mode}`, `chmod 0600 ${quote(file)}`);
});

export const fileRules: readonly Rule<FileFacts>[] = [
  fileMissing,
  fileUnreadable,
  fileContent,
  filePermissions,
];
