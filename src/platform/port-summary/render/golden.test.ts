import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ScenarioName, scenario, scenarioNames } from '../../topology/testing/scenarios.ts';
import { portSummary, type SummaryOptions } from '../summary.ts';
import { renderMarkdown } from './markdown.ts';
import { formatNames, renderSummary, type SummaryFormat } from './render.ts';

const folder = join(import.meta.dirname, '..', 'testdata');
const page = join(import.meta.dirname, '../../../../docs/reference/port-summary.md');

const EXTENSION: Readonly<Record<SummaryFormat, string>> = {
  terminal: 'txt',
  markdown: 'md',
  csv: 'csv',
  json: 'json',
};

/** What the file holds; with UPDATE_GOLDEN=1 it is written instead. */
function golden(path: string, actual: string, expected = readIfThere(path)): void {
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, actual);
  else assert.equal(actual, expected, path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function check(name: ScenarioName, suffix: string, options: SummaryOptions): void {
  const summary = portSummary(scenario(name), options);
  for (const format of formatNames) {
    golden(join(folder, `${name}${suffix}.${EXTENSION[format]}`), renderSummary(summary, format));
  }
}

for (const name of scenarioNames) {
  test(`golden summary ${name}`, () => check(name, '', {}));
}

for (const name of ['s4-dns-pool-nat', 'everything'] as const) {
  test(`golden summary ${name} in French`, () => check(name, '.fr', { language: 'fr' }));
}

test('golden summary minimal with every row', () => check('minimal', '.all', { all: true }));

test('the reference page ends with the summary of a document that asks for everything', () => {
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf('## Port summary: ');
  assert.ok(from > 0, 'the page has a heading for it');
  golden(page, text.slice(0, from) + renderMarkdown(portSummary(scenario('everything')), 2), text);
});

test('no line of the terminal is longer than 118 columns', () => {
  for (const name of scenarioNames) {
    for (const language of ['en', 'fr'] as const) {
      const text = renderSummary(portSummary(scenario(name), { language, all: true }), 'terminal');
      for (const line of text.split('\n')) assert.ok(line.length <= 118, line);
    }
  }
});
