import type { LogEvent } from '#protocols/log-query';
import { printable } from '../terminal.ts';

/** How an event is shown to people. */
export interface LineOptions {
  readonly colour: boolean;
  /** The whole text and body too, below the line. */
  readonly full: boolean;
}

const COLOURS = { error: '\u001b[31m', warning: '\u001b[33m', info: '', verbose: '\u001b[2m' } as const;
const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';
const ARROWS = { in: '<-', out: '->' } as const;

/** One line an event: when, where, who told it, between whom, what. */
export function eventLine(event: LogEvent, { colour, full }: LineOptions): string {
  const { time, node, service, provider, level, direction, remote } = event;
  const when = new Date(time).toISOString().replace('T', ' ');
  const peer =
    remote === undefined ? '' : `${direction === undefined ? '' : `${ARROWS[direction]} `}${remote}`;
  const where = `${shortName(node).padEnd(8)} ${service.padEnd(8)} ${provider.padEnd(9)}`;
  const call = event.keys.callId?.[0];
  const said = `${headline(event)}${call === undefined ? '' : `  [${call}]`}`;
  const line = printable(
    `${when} ${where} ${peer.padEnd(26)} ${level === 'info' ? '' : `${level}: `}${said}`,
  );
  const painted = colour && COLOURS[level] !== '' ? `${COLOURS[level]}${line}${PLAIN}` : line;
  return full ? [painted, ...details(event, colour)].join('\n') : painted;
}

/** The first line of a message, or the sentence. */
export function headline({ text, kind, name }: LogEvent): string {
  const first = text.split(/\r?\n/, 1)[0] ?? '';
  return kind === 'message' || first.startsWith(name) ? first : `${name} ${first}`;
}

function details(event: LogEvent, colour: boolean): string[] {
  const lines = event.text.split(/\r?\n/).slice(1);
  if (event.body !== undefined) lines.push(...event.body.split(/\r?\n/));
  const trace = event.keys.trace?.join(' ');
  if (trace !== undefined) lines.push(`trace ${trace}`);
  const shown = lines.filter((line) => line !== '').map((line) => `    ${printable(line)}`);
  return colour && shown.length > 0 ? [`${BOLD}${shown[0]}${PLAIN}`, ...shown.slice(1)] : shown;
}

/** `edge1` of `edge1.example.com`. */
export function shortName(node: string): string {
  return node.split('.', 1)[0] ?? node;
}
