import type { Command } from 'commander';
import type { OutcomeAnswer } from '#internal/log-controller';
import type { LogEvent } from '#protocols/log-query';
import { complain } from '../administered.ts';
import { exitStatus, printable, printableJsonLine, type Session } from '../terminal.ts';
import { Controller, type LogsOptions, logsCommand, reportEdges, sayProblem } from './controller.ts';
import { eventLine } from './event-line.ts';
import { ladder } from './ladder.ts';
import { packetsText } from './packets.ts';
import { addQueryOptions, addWindowOptions, type QueryOptions, queryOf } from './query-options.ts';

interface OutputOptions extends LogsOptions, QueryOptions {
  readonly ladder?: true;
  readonly packets?: true;
  readonly full?: true;
  readonly colour?: boolean;
  readonly related?: boolean;
}

/** Events that one drawing may have. */
const MOST_DRAWN = 50_000;

/** `logs search|follow` */
export function addSearchCommands(logs: Command, session: Session): void {
  const search = logsCommand(logs, 'search', 'find what happened on all edges, oldest first');
  addQueryOptions(addWindowOptions(search))
    .option('--no-related', 'with --call-id: without the relays of the call')
    .option('--ladder', 'draw the messages between the parties')
    .option('--packets', 'SIP messages in the text form that text2pcap and Wireshark import')
    .option('--json', 'one JSON object a line')
    .option('--full', 'whole messages')
    .option('--no-colour', 'no colours; there are none in a file or a pipe anyway')
    .action(async (options: OutputOptions) => runSearch(session, options));
  const follow = logsCommand(logs, 'follow', 'show what happens on all edges now, until Ctrl-C');
  addQueryOptions(follow)
    .option('--json', 'one JSON object a line')
    .option('--full', 'whole messages')
    .option('--no-colour', 'no colours')
    .action(async (options: OutputOptions) => runFollow(session, options));
}

async function runSearch(session: Session, options: OutputOptions): Promise<void> {
  const query = queryOf(options, Date.now());
  if (!query.ok) {
    complain(session, query.error);
    return;
  }
  const call = options.callId !== undefined && options.related !== false;
  const drawn: LogEvent[] = [];
  const isDrawn = options.ladder === true || options.packets === true;
  let count = 0;
  let edges: readonly OutcomeAnswer[] | undefined;
  for await (const part of new Controller(session, options).read('search', { query: query.value, call })) {
    edges = part.edges;
    count += part.events.length;
    if (!isDrawn) printEvents(session, part.events, options);
    else drawn.push(...part.events.slice(0, MOST_DRAWN - drawn.length));
  }
  if (edges === undefined) return;
  if (options.ladder === true && drawn.length > 0) session.terminal.out(ladder(drawn));
  if (options.packets === true) session.terminal.out(packetsText(drawn));
  const complete = reportEdges(session, edges);
  const answered = edges.filter(({ problem }) => problem === undefined).length;
  session.terminal.error(`${count} events; ${answered} of ${edges.length} edges answered`);
  if (!complete) session.finish(exitStatus.failed);
}

async function runFollow(session: Session, options: OutputOptions): Promise<void> {
  const query = queryOf(options, Date.now());
  if (!query.ok) {
    complain(session, query.error);
    return;
  }
  // What is followed has no end, and begins now.
  const { from: _, to: __, ...endless } = query.value;
  const troubles = new Map<string, string>();
  for await (const { events, edges } of new Controller(session, options).read('follow', { query: endless })) {
    printEvents(session, events, options);
    for (const { edge, problem } of edges) {
      const trouble = problem?.message ?? '';
      if ((troubles.get(edge) ?? '') === trouble) continue;
      troubles.set(edge, trouble);
      if (problem === undefined) session.terminal.error(printable(`${edge}: is there again`));
      else sayProblem(session, edge, problem);
    }
  }
}

function printEvents({ terminal }: Session, events: readonly LogEvent[], options: OutputOptions): void {
  const colour =
    options.colour !== false && process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  for (const event of events) {
    if (options.json === true) terminal.out(printableJsonLine(event));
    else terminal.out(eventLine(event, { colour, full: options.full === true }));
  }
}
