import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scenario } from '../../topology/testing/scenarios.ts';
import type { PortSummary } from '../model.ts';
import { portSummary } from '../summary.ts';
import { wrapped } from './columns.ts';
import { renderCsv } from './csv.ts';
import { renderMarkdown } from './markdown.ts';
import { renderSummary } from './render.ts';

/** A reader of RFC 4180: records of fields, quoted ones with doubled quotes. */
function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    record.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}

/** The summary with another purpose in its first row. */
function withPurpose(purpose: string): PortSummary {
  const summary = structuredClone(portSummary(scenario('minimal')));
  const [table] = summary.tables;
  const [row, ...rest] = table?.rows ?? [];
  assert.ok(table && row);
  return {
    ...summary,
    tables: [{ ...table, rows: [{ ...row, purpose }, ...rest] }, ...summary.tables.slice(1)],
  };
}

test('CSV gives back whatever stands in a cell, one record a flow', () => {
  fc.assert(
    fc.property(fc.string(), (purpose) => {
      const [head = [], first = [], ...rest] = readCsv(renderCsv(withPurpose(purpose)));
      for (const record of [first, ...rest]) assert.equal(record.length, head.length);
      const cell = first[head.indexOf('purpose')] ?? '';
      assert.equal(
        /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell,
        purpose.replace(/^'(?=[=+\-@\t\r])/, ''),
      );
    }),
  );
});

test('CSV holds no cell that a spreadsheet takes for a formula', () => {
  for (const purpose of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) {
    const [head = [], first = []] = readCsv(renderCsv(withPurpose(purpose)));
    assert.equal(first[head.indexOf('purpose')], `'${purpose}`);
  }
});

test('a next hop whose members listen on different ports is a record and a line each', () => {
  const document = structuredClone(scenario('minimal'));
  const [first, second] = document.policy.nextHop.members;
  assert.ok(first && second);
  second.port = 5071;
  const summary = portSummary(document);
  const records = readCsv(renderCsv(summary)).filter(([row]) => row === 'int-03');
  assert.equal(records.length, 2);
  const lines = renderSummary(summary, 'terminal')
    .split('\n')
    .filter((line) => line.startsWith('int-03'));
  assert.deepEqual(
    lines.map((line) => /TCP \d+/.exec(line)?.[0]),
    ['TCP 5061', 'TCP 5071'],
  );
});

test('JSON is the summary as it stands', () => {
  const summary = portSummary(scenario('s5-hardware'), { language: 'fr' });
  assert.deepEqual(JSON.parse(renderSummary(summary, 'json')), summary);
  assert.equal(summary.version, 1);
});

test('a site may be called as it likes', () => {
  const document = structuredClone(scenario('minimal'));
  document.policy.site = 'a|b <script> [c](d) *e*\u2028f';
  const summary = portSummary(document);
  const markdown = renderMarkdown(summary);
  assert.ok(markdown.startsWith('# Port summary: a\\|b \\<script\\> \\[c\\](d) \\*e\\* f\n'));
  assert.doesNotMatch(renderSummary(summary, 'terminal'), /\u2028/);
});

test('every row of a Markdown table has the cells of its head', () => {
  const lines = renderMarkdown(portSummary(scenario('everything'), { language: 'fr' })).split('\n');
  const cells = (line: string): number => line.split(/(?<!\\)\|/).length;
  for (const [at, line] of lines.entries()) {
    const before = lines[at - 1] ?? '';
    if (line.startsWith('|') && before.startsWith('|')) assert.equal(cells(line), cells(before), line);
  }
});

test('French sets ports for people with no-break spaces, and for programs without', () => {
  const summary = portSummary(scenario('everything'), { language: 'fr' });
  for (const format of ['terminal', 'markdown'] as const) {
    assert.match(renderSummary(summary, format), /50\u00a0000-59\u00a0999/);
  }
  const [head = [], ...records] = readCsv(renderSummary(summary, 'csv'));
  const row = records.find(([id]) => id === 'ext-09') ?? [];
  assert.equal(row[head.indexOf('source_ports')], '50000-59999');
});

test('wrapping loses nothing and keeps to its width', () => {
  const text = fc.array(fc.stringMatching(/^[a-f0-9:.,-]{1,60}$/), { minLength: 1 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (words, width) => {
      const lines = wrapped(words.join(' '), width);
      assert.equal(lines.join('').replaceAll(' ', ''), words.join(''));
      for (const line of lines) assert.ok(line.length <= width, `"${line}"`);
    }),
  );
});
