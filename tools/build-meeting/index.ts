import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(dirname(import.meta.filename), '..', '..');
const target = join(root, 'dist', 'meeting');
/** Whatever the client is made of. */
const sources = ['src/{apps/meeting,kernel,protocols}/**', 'tools/build-meeting/*', 'package-lock.json'];
const pdfjs = join(root, 'node_modules', 'pdfjs-dist');

export interface BuiltFile {
  readonly name: string;
  readonly bytes: number;
  /** As gzip makes it. */
  readonly packed: number;
}

/** Builds the client unless it is newer than its sources; gives its files, undefined when nothing had to be done. */
export async function buildMeeting({ force }: { readonly force: boolean }): Promise<BuiltFile[] | undefined> {
  if (!force && !isOutdated()) return undefined;
  // Loaded only when it is needed: nearly always it is not.
  const { build } = await import('vite');
  mkdirSync(dirname(target), { recursive: true });
  const made = mkdtempSync(join(dirname(target), '.meeting-'));
  try {
    await build({ configFile: join(root, 'src/apps/meeting/vite.config.ts'), build: { outDir: made } });
    addPdfParts(made);
    letEverybodyRead(made);
    replace(made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return globSync('**/*.{html,js,mjs,css}', { cwd: target }).map((name) => {
    const content = readFileSync(join(target, name));
    return { name, bytes: content.length, packed: gzipSync(content).length };
  });
}

function isOutdated(): boolean {
  const built = statSync(join(target, 'index.html'), { throwIfNoEntry: false });
  if (built === undefined) return true;
  return globSync(sources, { cwd: root }).some((name) => {
    const source = statSync(join(root, name), { throwIfNoEntry: false });
    return source?.isFile() === true && source.mtimeMs > built.mtimeMs;
  });
}

/** What PDF files may ask for: the fonts that they need not bring along, and decoders for where compiled ones are forbidden. */
function addPdfParts(made: string): void {
  const fonts = join('pdf', 'fonts');
  cpSync(join(pdfjs, 'standard_fonts'), join(made, fonts), { recursive: true });
  for (const name of ['openjpeg_nowasm_fallback.js', 'jbig2_nowasm_fallback.js']) {
    cpSync(join(pdfjs, 'wasm', name), join(made, 'pdf', 'decoders', name));
  }
}

/** Root may have built it, and a service without privilege serves it. */
function letEverybodyRead(made: string): void {
  for (const name of ['.', ...globSync('**', { cwd: made })]) {
    const path = join(made, name);
    chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
  }
}

/** Two that build at the same time both end with a whole client. */
function replace(made: string): void {
  const old = mkdtempSync(join(dirname(target), '.meeting-'));
  try {
    renameSync(target, join(old, 'meeting'));
  } catch {
    // There was none.
  }
  try {
    renameSync(made, target);
  } catch (problem) {
    // Somebody else was quicker.
    if (statSync(join(target, 'index.html'), { throwIfNoEntry: false }) === undefined) throw problem;
  }
  rmSync(old, { recursive: true, force: true });
}
