import { type DistributedInterface, meetingInterfaces } from '#protocols/psom';
import { notice, tableRow } from './notice.ts';

/** docs/protocols/psom-objects.md */
export function psomObjectsPage(): string {
  const lines = [
    '# PSOM objects',
    '',
    `<!-- ${notice('src/protocols/psom/meeting')} -->`,
    '',
    'The interfaces of [psom.md](psom.md), their methods by number, and their hashes.',
  ];
  for (const declared of meetingInterfaces) {
    lines.push('', `## ${declared.name}, version ${declared.version}`);
    lines.push(...methodTable('server', declared), ...methodTable('client', declared));
  }
  return `${lines.join('\n')}\n`;
}

function methodTable(side: 'server' | 'client', declared: DistributedInterface): string[] {
  const hash = side === 'server' ? declared.serverHash : declared.clientHash;
  const title = `Methods of the ${side}, hash ${hash.toString(16).padStart(16, '0')}`;
  const methods = declared.numbered[side].byNumber;
  if (methods.length === 0) return ['', `${title}: none.`];
  const rows = methods.map(({ number, name, parameters }) =>
    tableRow([`${number}`, name, parameters.join(', ')]),
  );
  return [
    '',
    `${title}:`,
    '',
    tableRow(['no.', 'method', 'parameters']),
    tableRow(['---', '---', '---']),
    ...rows,
  ];
}
