import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingNames } from './generate/settings.ts';

/*
 * Every setting has a test in which changing it changes what a peer sees. The test says so in its title:
 * `[setting policy.limits.access.messageBytes]`. Fails for settings that no title names, and for titles that name
 * no setting. Of the Access Edge service a test of the document alone, its rules and its plan, is not enough.
 */
const root = join(import.meta.dirname, '..');
const MARK = /\[setting ([\w.]+(?:\[\][\w.]*)*)\]/g;

const known = settingNames();
const named = new Map<string, string>();
/** Settings that a test beside the programs names, where there is a peer. */
const seen = new Set<string>();
const DOCUMENT = 'src/platform/topology/';
const OF_ACCESS = [
  /^policy\.(?:remoteAccess|federation|publicProviders|externalAccess|revocation|nextHop|limits\.access)\b/,
  /^policy\.(?:sipDomains|internalNetworks|names\.access|ports\.access\w+)$/,
  /^policy\.(?:features\.(?:remoteUsers|federation|publicProvider\w*)|pool\.(?:f|previousF)lowKeyFiles?)$/,
  /^host\.(?:name|internalCa|partnerCa|resolvers|workers\.access|addresses\.(?:access|internal))$/,
  /^host\.certificates\.(?:access|internal)/,
];
for (const file of globSync('{src,proof}/**/*.test.ts', { cwd: root })) {
  for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(MARK)) {
    named.set(name, file);
    if (!file.startsWith(DOCUMENT)) seen.add(name);
  }
}

const problems = [
  ...known.filter((name) => !named.has(name)).map((name) => `${name}: no test is titled [setting ${name}]`),
  ...known
    .filter((name) => named.has(name) && !seen.has(name) && OF_ACCESS.some((part) => part.test(name)))
    .map((name) => `${name}: no test outside ${DOCUMENT} is titled so, in which a peer sees it`),
  ...[...named]
    .filter(([name]) => !known.includes(name))
    .map(([name, file]) => `${file}: there is no setting ${name}`),
];
for (const problem of problems) console.log(problem);
if (problems.length > 0)
  console.log(`${known.length - problems.length} of ${known.length} settings are tested`);
process.exitCode = problems.length === 0 ? 0 : 1;
