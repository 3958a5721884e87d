import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * The static checks, at once: types, format and lint, promises, borders, dead code, citations, generated files,
 * settings. Each prints only when it fails.
 */
const root = join(dirname(import.meta.filename), '..', '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

interface Check {
  readonly name: string;
  readonly command: string;
  readonly parameters: readonly string[];
}

const checks: readonly Check[] = [
  { name: 'types', command: bin('tsc'), parameters: ['-p', '.'] },
  { name: 'types of the browser client', command: bin('tsc'), parameters: ['-p', 'src/apps/meeting'] },
  {
    name: 'format and lint',
    command: bin('biome'),
    parameters: ['ci', '--error-on-warnings', '--colors=off'],
  },
  {
    name: 'promises',
    command: bin('oxlint'),
    parameters: ['--type-aware', '-c', '.oxlintrc.json', 'src', 'tools', 'proof'],
  },
  {
    name: 'borders',
    command: bin('depcruise'),
    parameters: ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src', 'tools', 'proof'],
  },
  { name: 'dead code', command: bin('knip'), parameters: ['--no-progress'] },
  { name: 'rooms', command: process.execPath, parameters: ['tools/check/rooms.ts'] },
  { name: 'citations', command: process.execPath, parameters: ['tools/check/citations.ts'] },
  { name: 'attack classes', command: process.execPath, parameters: ['tools/check/attack-classes.ts'] },
  { name: 'names are ours to resolve', command: process.execPath, parameters: ['tools/check/lookups.ts'] },
  { name: 'providers', command: process.execPath, parameters: ['tools/check/providers.ts'] },
  { name: 'links', command: process.execPath, parameters: ['tools/check/links.ts'] },
  { name: 'generated files', command: process.execPath, parameters: ['tools/generate/main.ts', '--check'] },
  { name: 'settings', command: process.execPath, parameters: ['tools/settings-check.ts'] },
  {
    name: 'published settings',
    command: process.execPath,
    parameters: ['tools/check/published-settings.ts'],
  },
];

function runCheck(check: Check): Promise<boolean> {
  if (!existsSync(check.command)) {
    console.log(
      `${check.name}: FAILED: ${check.command.slice(root.length + 1)} is not installed; run npm ci`,
    );
    return Promise.resolve(false);
  }
  const child = spawn(check.command, check.parameters, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      console.log(`${check.name}: ${code === 0 ? 'ok' : 'FAILED'}`);
      if (code !== 0) console.log(Buffer.concat(output).toString());
      resolve(code === 0);
    });
  });
}

const outcomes: boolean[] = [];
for (const check of checks) outcomes.push(await runCheck(check));
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
