// Makes a fresh clone ready to run: the locked npm packages (Node 24 among them) and, with --peers on Debian as
// root, the Debian packages of the real clients and servers that the tests drive. Runs on Node 18 or newer and
// needs nothing installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');

function packagesAreCurrent() {
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}

function installPackages() {
  if (packagesAreCurrent()) return;
  console.log('set-up: installing the locked npm packages (once, about half a minute) ...');
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, npm_config_engine_strict: 'false' },
  });
  if (result.status !== 0) fail('npm ci failed; its message stands above. Is the npm registry reachable?');
  const now = new Date();
  utimesSync(installed, now, now);
}

function checkRuntime() {
  const own = join(root, 'node_modules', '.bin', 'node');
  const candidates = [own, process.execPath];
  for (const candidate of candidates) {
    if (!existsSync(candidate)) continue;
    const version = execFileSync(candidate, ['--version'], { encoding: 'utf8' }).trim();
    if (Number(version.slice(1).split('.')[0]) >= 24) return;
  }
  fail(
    `Node.js 24 or newer is needed; this is ${process.version} on ${process.platform}-${process.arch}, for which no ` +
      'packaged runtime exists. Install Node.js 24 and run the command again.',
  );
}

function isDebianRoot() {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

function missingPeers() {
  const wanted = readFileSync(join(root, 'tools', 'test', 'debian-packages.txt'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format language
  const known = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted], {
    encoding: 'utf8',
  });
  const present = new Set(
    (known.stdout ?? '')
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return wanted.filter((name) => !present.has(name));
}

function installPeers() {
  if (!isDebianRoot()) return;
  const missing = missingPeers();
  if (missing.length === 0) return;
  console.log(`set-up: installing Debian packages of real peers: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env, encoding: 'utf8' });
  apt('update', '-qq');
  const result = apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
  if (result.status !== 0) fail(`apt-get could not install them:\n${result.stderr}`);
}

function fail(message) {
  console.error(`set-up: ${message}`);
  process.exit(1);
}

function buildMeeting() {
  const node = join(root, 'node_modules', '.bin', 'node');
  const result = spawnSync(existsSync(node) ? node : process.execPath, ['tools/build-meeting/main.ts'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0)
    fail('the browser client of web conferencing could not be built; why stands above.');
}

installPackages();
checkRuntime();
buildMeeting();
if (process.argv.includes('--peers')) installPeers();
