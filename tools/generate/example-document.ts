import {
  type DocumentKind,
  type SchemaNode,
  type Setting,
  type SettingValue,
  schemaTree,
} from '#platform/topology';
import { notice } from './notice.ts';

const WIDTH = 110;

/**
 * docs/reference/edge.example.yaml, internal.example.yaml: every setting with its sentence. What has a default is
 * commented out with a `#` directly before the key, prose with `# `.
 */
export function exampleDocument(kind: DocumentKind): string {
  const lines = [
    `# ${notice('src/platform/topology')}`,
    '# Settings with a # directly before them show the default, or an example where the default is computed.',
    ...schemaTree(kind).members.flatMap((member) => nodeLines(member, '', false)),
  ];
  return `${lines.join('\n')}\n`;
}

function nodeLines(node: SchemaNode, indent: string, off: boolean): string[] {
  if (node.kind === 'setting') return settingLines(node.key, node.setting, indent, off);
  const out = off || node.optional;
  const first = node.kind === 'sections' ? `${indent}  - ` : '';
  const inner = node.kind === 'sections' ? `${indent}    ` : `${indent}  `;
  const members = node.members.flatMap((member) => nodeLines(member, inner, out));
  if (members[0] === '') members.shift();
  if (node.kind === 'sections') itemise(members, inner, first);
  const blank = indent === '' || !off ? [''] : [];
  return [...blank, ...prose(node.sentence, indent), `${indent}${out ? '#' : ''}${node.key}:`, ...members];
}

/** Puts the dash of a list item before its first setting. */
function itemise(lines: string[], indent: string, dashed: string): void {
  const at = lines.findIndex((line) => line.startsWith(indent) && line[indent.length] !== '#');
  for (let before = 0; before < at; before++)
    lines[before] = dashed.slice(0, -2) + lines[before]?.trimStart();
  lines[at] = dashed + (lines[at] ?? '').slice(indent.length);
}

function settingLines(key: string, setting: Setting, indent: string, off: boolean): string[] {
  const optional =
    setting.default !== undefined || setting.defaultFrom !== undefined || setting.optional === true;
  const computed = setting.defaultFrom === undefined ? '' : ` Default: ${setting.defaultFrom}.`;
  const range =
    setting.floor === undefined ? '' : ` From ${setting.floor} to ${setting.ceiling}${unitOf(setting)}.`;
  const value = typeof setting.default === 'object' ? setting.example : (setting.default ?? setting.example);
  return [
    ...prose(`${setting.sentence}${range}${computed}`, indent),
    `${indent}${off || optional ? '#' : ''}${key}: ${yamlText(value)}`,
  ];
}

function unitOf(setting: Setting): string {
  return setting.unit === undefined ? '' : ` ${setting.unit}`;
}

function yamlText(value: SettingValue): string {
  if (typeof value === 'object') return `[${value.map(yamlText).join(', ')}]`;
  const text = String(value);
  return typeof value === 'string' && !/^[A-Za-z0-9/][\w./ -]*$/.test(text) ? JSON.stringify(text) : text;
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
