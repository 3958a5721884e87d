import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * Completes package-lock.json after a change of dependencies: npm leaves out the optional packages of other
 * platforms when a registry does not carry them, and `npm ci` then refuses the lock file everywhere. Each gets an
 * entry that says for which platform it is, so that it is passed over where it does not fit.
 *   npm install --save-exact NAME && npm run lock
 */
const file = join(dirname(import.meta.filename), '..', '..', 'package-lock.json');

interface LockEntry {
  version?: string;
  optionalDependencies?: Record<string, string>;
  [key: string]: unknown;
}

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

/** What the name of a platform package says about where it fits. */
function platformEntry(name: string, version: string): LockEntry {
  const words = (name.split('/').at(-1) ?? '').split(/[-_]/);
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  const musl = words.some((word) => word.startsWith('musl'));
  const gnu = words.some((word) => word.startsWith('gnu'));
  return {
    version: version.replace(/^[~^]/, ''),
    ...(cpu.length > 0 ? { cpu } : {}),
    dev: true,
    optional: true,
    ...(os.length > 0 ? { os } : {}),
    ...(musl ? { libc: ['musl'] } : gnu && os[0] === 'linux' ? { libc: ['glibc'] } : {}),
  };
}

const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockEntry> };
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
    if (places.some((place) => lock.packages[place] !== undefined)) continue;
    lock.packages[`node_modules/${name}`] = platformEntry(name, version);
    added += 1;
  }
}
if (added > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}
console.log(`${added} packages of other platforms added to the lock file`);
