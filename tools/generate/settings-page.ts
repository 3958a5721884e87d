import { type DocumentKind, type SchemaNode, type Setting, schemaTree } from '#platform/topology';
import { notice, tableRow } from './notice.ts';
import { initialText } from './settings.ts';

const ABOUT: Readonly<Record<DocumentKind, string>> = {
  edge:
    '`sallyport edge` runs it. The `host` part belongs to one machine; the `policy` part is what all edges of the ' +
    'organisation have in common.',
  internal: '`sallyport internal` runs it: the counterparts on the internal network.',
};

const HEAD = ['Setting', 'Type', 'Default', 'Change', 'Port rows', 'Meaning'];

/** docs/reference/edge-yaml.md, internal-yaml.md */
export function settingsPage(kind: DocumentKind): string {
  const lines = [
    `# ${kind}.yaml`,
    '',
    `<!-- ${notice('src/platform/topology')} -->`,
    '',
    ABOUT[kind],
    '',
    `A commented example is [${kind}.example.yaml](${kind}.example.yaml); editors can use`,
    `[${kind}.schema.json](${kind}.schema.json). \`sallyport check ${kind}.yaml\` names every mistake with its line.`,
    '',
    'Paths are relative to the folder of the document. Names of hosts and domains may be written in any case. A',
    'change marked *live* is taken by the running program; one marked *restart* needs a new start.',
    ...sectionLines(schemaTree(kind)),
  ];
  return `${lines.join('\n')}\n`;
}

function sectionLines(section: SchemaNode & { kind: 'section' | 'sections' }): string[] {
  const direct = section.members.filter((member) => member.kind === 'setting');
  const title = section.name === '' ? 'The document' : `\`${section.name}\``;
  const lines = ['', `## ${title}`, '', sectionSentence(section)];
  if (direct.length > 0) {
    lines.push('', tableRow(HEAD), tableRow(HEAD.map(() => '---')));
    lines.push(...direct.map((member) => settingRow(member.key, member.setting)));
  }
  for (const member of section.members) {
    if (member.kind !== 'setting') lines.push(...sectionLines(member));
  }
  return lines;
}

function sectionSentence(section: SchemaNode & { kind: 'section' | 'sections' }): string {
  const listed = section.kind === 'sections' ? ' A list, each item with these settings.' : '';
  return `${section.sentence}${listed}${section.optional ? ' May be left out.' : ''}`;
}

function settingRow(key: string, setting: Setting): string {
  const rows = (setting.rows ?? []).join(', ');
  const cells = [`\`${key}\``, setting.expects, initialText(setting), setting.reload, rows, setting.sentence];
  return tableRow(cells);
}
