import { parse } from 'yaml';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import type { InternalDocument } from '../schema/internal-schema.ts';
import type { SettingValue } from '../schema/setting.ts';
import { type SchemaNode, type Setting, schemaTree } from '../schema/settings.ts';
import type { DocumentKind } from './check.ts';
import type { Draft } from './read-document.ts';

/** Columns that a comment may take. */
const WIDTH = 110;

type Section = SchemaNode & { kind: 'section' | 'sections' };

/**
 * A whole document with the sentence of every setting before it. What `values` has is written live; everything else is
 * commented out with a `#` directly before the key and shows its default, or an example where the default is taken
 * from other settings. Values are not checked here. `head` are the comment lines at the top, without their `# `.
 */
export function commentedDocument(kind: 'edge', head: readonly string[], values: Draft<EdgeDocument>): string;
export function commentedDocument(
  kind: 'internal',
  head: readonly string[],
  values: Draft<InternalDocument>,
): string;
export function commentedDocument(kind: DocumentKind, head: readonly string[], values: object): string {
  return documentLines(kind, head, values);
}

/** The same with an example of every setting that must be written. */
export function exampleDocument(kind: DocumentKind, head: readonly string[]): string {
  return documentLines(kind, head, requiredExamples(schemaTree(kind)));
}

function documentLines(kind: DocumentKind, head: readonly string[], values: object): string {
  const lines = [
    ...head.map((line) => `# ${line}`),
    ...schemaTree(kind).members.flatMap((node) => nodeLines(node, '', memberOf(values, node.key), false)),
  ];
  return `${lines.join('\n')}\n`;
}

function requiredExamples(section: Section): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const node of section.members) {
    if (node.kind === 'setting') {
      if (!hasDefault(node.setting)) values[node.key] = node.setting.example;
    } else if (!node.optional) {
      const inner = requiredExamples(node);
      values[node.key] = node.kind === 'sections' ? [inner] : inner;
    }
  }
  return values;
}

function hasDefault(setting: Setting): boolean {
  return setting.default !== undefined || setting.defaultFrom !== undefined || setting.optional === true;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** Whether anything in it would be written live. */
function saysSomething(value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  return Object.values(value).some(saysSomething);
}

/** `off` when the section around it is commented out. */
function nodeLines(node: SchemaNode, indent: string, value: unknown, off: boolean): string[] {
  if (node.kind === 'setting') return settingLines(node.key, node.setting, indent, value);
  const live = saysSomething(value);
  const inside =
    node.kind === 'sections'
      ? itemLines(node, indent, live ? value : undefined)
      : memberLines(node, `${indent}  `, value);
  const blank = indent === '' || !off ? [''] : [];
  return [...blank, ...prose(node.sentence, indent), `${indent}${live ? '' : '#'}${node.key}:`, ...inside];
}

function memberLines(section: Section, indent: string, value: unknown): string[] {
  const off = !saysSomething(value);
  const lines = section.members.flatMap((node) => nodeLines(node, indent, memberOf(value, node.key), off));
  return lines[0] === '' ? lines.slice(1) : lines;
}

/** The first item of a list says what its settings are for; the others only what they are. */
function itemLines(node: Section, indent: string, value: unknown): string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  return items.flatMap((item, index) => {
    const lines = memberLines(node, `${indent}    `, item);
    const shown = index === 0 ? lines : lines.filter((line) => !/^\s*(#|$)/.test(line));
    return itemised(shown, indent, saysSomething(item));
  });
}

/** The lines of a list item, with the dash before its first setting; a commented one keeps its `#` in front. */
function itemised(lines: readonly string[], indent: string, live: boolean): string[] {
  const first = new RegExp(`^${indent}    ${live ? '' : '#?'}[A-Za-z]`);
  const at = lines.findIndex((line) => first.test(line));
  return lines.map((line, index) => {
    if (index < at) return `${indent}  ${line.trimStart()}`;
    if (index > at) return line;
    const text = line.trimStart();
    return text.startsWith('#') ? `${indent}  #- ${text.slice(1)}` : `${indent}  - ${text}`;
  });
}

function settingLines(key: string, setting: Setting, indent: string, value: unknown): string[] {
  const computed = setting.defaultFrom === undefined ? '' : ` Default: ${setting.defaultFrom}.`;
  const range =
    setting.floor === undefined ? '' : ` From ${setting.floor} to ${setting.ceiling}${unitOf(setting)}.`;
  const empty = typeof setting.default === 'object' && setting.default.length === 0;
  const shown = empty ? setting.example : (setting.default ?? setting.example);
  return [
    ...prose(`${setting.sentence}${range}${computed}`, indent),
    value === undefined
      ? `${indent}#${key}: ${yamlText(shown)}`
      : `${indent}${key}: ${yamlText(value as SettingValue)}`,
  ];
}

function unitOf(setting: Setting): string {
  return setting.unit === undefined ? '' : ` ${setting.unit}`;
}

function yamlText(value: SettingValue): string {
  if (typeof value === 'object') return `[${value.map(yamlText).join(', ')}]`;
  return typeof value === 'string' && !isPlain(value) ? JSON.stringify(value) : String(value);
}

/** Whether a text means itself without quotes, in a list too: `true` and `1e3` do not. */
function isPlain(text: string): boolean {
  return /^[A-Za-z0-9/][\w./ -]*$/.test(text) && parse(text) === text;
}

/** Comment lines of at most {@link WIDTH} columns. */
function prose(sentence: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
