import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { scenario, scenarioNames } from '../topology/testing/scenarios.ts';
import { dnsPlan } from './dns-plan.ts';
import type { Zone } from './records.ts';
import { severalDomains } from './testing/several-domains.ts';
import { zoneFile } from './zone-file.ts';

/** Loads a zone with named-checkzone (BIND 9), strictly, and gives back its records as the server sees them. */
function loaded(folder: string, zone: Zone): string[] {
  writeFileSync(join(folder, 'ours'), `${zoneFile(zone)}\n`);
  const own = [
    '$TTL 300',
    '@ IN SOA ns.invalid. hostmaster.invalid. 1 7200 900 1209600 300',
    '@ IN NS ns.invalid.',
    '$INCLUDE ours',
    '; What follows stands in the zone again: an included origin ends with its file.',
    'behind IN A 192.0.2.1',
  ];
  writeFileSync(join(folder, 'zone'), `${own.join('\n')}\n`);
  const strictly = [
    '-k',
    'fail',
    '-n',
    'fail',
    '-m',
    'fail',
    '-M',
    'fail',
    '-S',
    'fail',
    '-i',
    'local',
    '-W',
    'warn',
  ];
  const output = execFileSync('named-checkzone', ['-D', ...strictly, zone.origin, 'zone'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return output
    .split('\n')
    .map((line) => line.split(/\s+/).filter((word) => word !== ''))
    .filter(([, , , type]) => type === 'A' || type === 'AAAA' || type === 'SRV')
    .map((words) => words.join(' '))
    .sort();
}

function expected({ origin, records }: Zone): string[] {
  const lines = records.map((record) =>
    record.type === 'SRV'
      ? `${record.name}. 3600 IN SRV ${record.priority} ${record.weight} ${record.port} ${record.target}.`
      : `${record.name}. 3600 IN ${record.type} ${record.address}`,
  );
  // The zone's own line takes the last $TTL.
  return [...lines, `behind.${origin}. 3600 IN A 192.0.2.1`].sort();
}

const documents: readonly (readonly [string, () => EdgeDocument])[] = [
  ...scenarioNames.map((name) => [name, () => scenario(name)] as const),
  ['several-domains', severalDomains],
];

for (const [name, document] of documents) {
  test(`BIND loads every zone of ${name} and sees the records that were meant`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'zone-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const { outside, inside, perimeter } = dnsPlan(document());
    assert.ok(outside.length > 0);
    for (const zone of [...outside, ...inside, ...perimeter]) {
      assert.deepEqual(loaded(folder, zone), expected(zone), zone.origin);
    }
  });
}

test('every target of a service record lies in its domain and has addresses', () => {
  for (const [name, document] of documents) {
    for (const { origin, records } of dnsPlan(document()).outside) {
      for (const record of records) {
        if (record.type !== 'SRV') continue;
        assert.ok(record.target.endsWith(`.${origin}`), `${name}: ${record.target}`);
        assert.ok(records.some((other) => other.type !== 'SRV' && other.name === record.target));
      }
    }
  }
});
