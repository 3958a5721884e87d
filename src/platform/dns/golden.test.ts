import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { scenario, scenarioNames } from '../topology/testing/scenarios.ts';
import { dnsPlan } from './dns-plan.ts';
import { severalDomains } from './testing/several-domains.ts';
import { recordRows, zoneFile } from './zone-file.ts';

/** The three tables, the outside zones, and what no record says. */
function outcome(document: EdgeDocument): string {
  const plan = dnsPlan(document);
  const table = (title: string, zones: Parameters<typeof recordRows>[0]): string[] => [
    `== ${title}`,
    ...recordRows(zones).map((cells) => cells.join(' | ')),
  ];
  return [
    ...table('outside', plan.outside),
    ...table('inside', plan.inside),
    ...table('perimeter', plan.perimeter),
    '== zones',
    ...plan.outside.map(zoneFile),
    '== closed',
    ...plan.closed.map(({ name, setting }) => `${name} ${setting}`),
    '== instructions',
    ...plan.instructions.map(({ rule, what, instead }) => `${rule}: ${what}: ${instead}`),
    '',
  ].join('\n');
}

const documents: readonly (readonly [string, () => EdgeDocument])[] = [
  ...scenarioNames.map((name) => [name, () => scenario(name)] as const),
  ['several-domains', severalDomains],
];

for (const [name, document] of documents) {
  test(`golden records of ${name}`, () => {
    const path = join(import.meta.dirname, 'testdata', `${name}.golden`);
    const actual = outcome(document());
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, actual);
    else assert.equal(actual, readFileSync(path, 'utf8'));
  });
}
