import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowDefinitions } from '#platform/topology';
import { notedRows, noteIds } from './notes.ts';
import { consequences, rowIds, rowText } from './row-text.ts';
import { fill, languageNames, textsOf } from './texts.ts';

/** Every text by the path of its keys. */
function flat(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => flat(value, path === '' ? key : `${path}.${key}`));
}

const english = flat(textsOf('en'));
const french = new Map(flat(textsOf('fr')));

/** The same in both languages, and rightly so. */
const SAME = [
  'sections.xmpp',
  'columns.port',
  'columns.source',
  'addressColumns.av',
  'roles.av',
  'peers.client',
  'interfaces.internal',
  'heading.notes',
];

test('every language says everything, and with the same values', () => {
  assert.deepEqual(languageNames, ['en', 'fr']);
  assert.deepEqual([...french.keys()].sort(), english.map(([path]) => path).sort());
  const values = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([value]) => value).sort();
  for (const [path, text] of english) {
    const translated = french.get(path) ?? '';
    assert.ok(text.trim() !== '' && translated.trim() !== '', path);
    assert.deepEqual(values(translated), values(text), path);
  }
});

test('nothing is left untranslated', () => {
  const untranslated = english
    .filter(([path, text]) => french.get(path) === text && /\p{L}{4}/u.test(text.replace(/\{\w+\}/g, '')))
    .map(([path]) => path)
    .filter((path) => !SAME.includes(path));
  assert.deepEqual(untranslated, []);
});

test('French is set as French: apostrophes, and spaces at which no line breaks', () => {
  for (const [path, text] of french) {
    assert.doesNotMatch(text, / [:;?!»]|« |\d \d{3}(?!\d)|'/, path);
    assert.doesNotMatch(text, /[^\s\u00a0]\u00a0?;(?=\S)/, path);
  }
  assert.match(french.get('heading.title') ?? '', /^Résumé des ports\u00a0: /);
});

test('a term of the original stands as it is there', () => {
  const fr = textsOf('fr');
  assert.equal(fr.sections.pic, 'Messagerie instantanée publique');
  assert.equal(fr.peers.any, 'Indifférente');
  assert.equal(fr.edge.av.shown, 'Adresse IP publique du service Edge A/V');
  assert.equal(fr.roles.replica, 'Réplication du magasin central de gestion');
});

test('every row of the plan is told of, and no other', () => {
  const ids = rowDefinitions.map(({ id }) => id).sort();
  for (const language of languageNames) {
    const texts = textsOf(language);
    assert.deepEqual([...rowIds(texts)].sort(), ids);
    for (const { id, sameAs } of rowDefinitions) {
      const { purpose, story, closed, open } = consequences(texts, id, sameAs);
      for (const text of [purpose, story, closed, open]) assert.match(text, /\.$/, `${id}: ${text}`);
      assert.match(closed, /^(?:\p{Lu}{2}|[^\p{Lu}])/u, `${id} continues a sentence`);
      assert.match(open, /^(?:\p{Lu}{2}|[^\p{Lu}])/u, `${id} continues a sentence`);
    }
  }
  assert.throws(() => rowText(textsOf('en'), 'ext-99'), TypeError);
});

test('every note belongs to rows that exist', () => {
  const ids = new Set(rowDefinitions.map(({ id }) => id));
  for (const note of noteIds) for (const row of notedRows[note]) assert.ok(ids.has(row), `${note}: ${row}`);
});

test('a text without one of its values is a bug', () => {
  assert.equal(fill('{a} and {b}', { a: '1', b: '2' }), '1 and 2');
  assert.throws(() => fill('{a} and {b}', { a: '1' }), TypeError);
});
