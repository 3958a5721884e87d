import { type Blame, catalogue } from '#kernel';
import { notice, tableRow } from './notice.ts';

const AREAS: Readonly<Record<string, string>> = {
  APP: 'Softphone and lab',
  AV: 'Relay and relay credentials',
  INT: 'Counterparts on the internal network',
  NET: 'Sockets, TLS and certificates',
  SIP: 'SIP, Access Edge service and front end',
  SVC: 'Supervisor and services',
};

const BLAMED: Readonly<Record<Blame, string>> = {
  peer: 'the other side',
  operator: 'the operator',
  self: 'this program',
};

/** docs/reference/errors.md */
export function errorsPage(): string {
  const lines = [
    '# Errors',
    '',
    `<!-- ${notice('src/kernel/catalogue')} -->`,
    '',
    'Every error has a code that never changes meaning and is never used again. *Whose* says who can put it right.',
  ];
  const codes = Object.entries(catalogue).sort(([one], [other]) => (one < other ? -1 : 1));
  let area = '';
  for (const [code, entry] of codes) {
    const next = code.split('-')[1] ?? '';
    if (next !== area) {
      area = next;
      lines.push('', `## ${AREAS[area] ?? area}`, '');
      lines.push(tableRow(['Code', 'What happened', 'Whose', 'What the peer is told', 'What to do']));
      lines.push(tableRow(['---', '---', '---', '---', '---']));
    }
    lines.push(tableRow([code, entry.summary, BLAMED[entry.blame], entry.peer ?? '', entry.remedy]));
  }
  return `${lines.join('\n')}\n`;
}
