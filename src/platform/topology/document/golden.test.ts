import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { edgeListeners, internalListeners, type ListenerPlan } from '../plan/listeners.ts';
import { serviceTitle } from '../plan/service-names.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { reportOf } from './check.ts';
import { examineEdge, examineInternal } from './document.ts';

const folder = join(import.meta.dirname, '..', 'testdata');
const RULER = /^-{10,}\n/m;

function listenerLine(listener: ListenerPlan): string {
  const { id, rows, service, interface: side } = listener;
  return `${id}  ${side}, ${serviceTitle(service)}, ${rows.join(' ')}`;
}

function outcome(name: string, text: string): string {
  const internal = name.startsWith('internal');
  const file = internal ? 'internal.yaml' : 'edge.yaml';
  const options = { file, files: virtualFiles };
  // Absolute paths depend on where the tests run.
  const shown = (report: string): string => report.replaceAll(process.cwd(), '');
  if (internal) {
    const { document, findings } = examineInternal(text, options);
    const sockets = document === undefined ? [] : internalListeners(document).map(listenerLine);
    return [shown(reportOf(file, findings).report), ...sockets, ''].join('\n');
  }
  const { document, findings } = examineEdge(text, options);
  const sockets = document === undefined ? [] : edgeListeners(document).map(listenerLine);
  return [shown(reportOf(file, findings).report), ...sockets, ''].join('\n');
}

for (const path of globSync(join(folder, '*.golden')).sort()) {
  const name = basename(path, '.golden');
  test(`golden document ${name}`, () => {
    const content = readFileSync(path, 'utf8');
    const ruler = RULER.exec(content);
    assert.ok(ruler, 'a ruler line divides document and expectation');
    const input = content.slice(0, ruler.index);
    const expected = content.slice(ruler.index + ruler[0].length);
    const actual = outcome(name, input);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, input + ruler[0] + actual);
    else assert.equal(actual, expected);
  });
}
