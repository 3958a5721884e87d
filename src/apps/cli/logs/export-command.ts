import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { copyAnswer, openedAnswer, segmentsAnswer } from '#internal/log-controller';
import { exitStatus, printable, type Session } from '../terminal.ts';
import { Controller, type LogsOptions, logsCommand, sayProblem } from './controller.ts';
import { addWindowOptions, type QueryOptions, windowOf } from './query-options.ts';

type ExportOptions = LogsOptions & Pick<QueryOptions, 'last' | 'from' | 'to'>;

/** `logs export` */
export function addExportCommand(logs: Command, session: Session): void {
  addWindowOptions(
    logsCommand(
      logs,
      'export',
      'copy the logs of all edges: a file a segment, one JSON object a line, hashes compared',
    ),
  )
    .argument('<folder>', 'it is made when it is not there')
    .action(async (folder: string, options: ExportOptions) => {
      const controller = new Controller(session, options);
      const listed = await controller.task('segments', {}, segmentsAnswer);
      if (listed === undefined) return;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const window = windowOf(options, Date.now(), true);
      for (const { edge, problem, segments = [] } of listed.edges) {
        if (problem !== undefined) {
          sayProblem(session, edge, problem);
          session.finish(exitStatus.failed);
        }
        for (const { segment, from, to } of segments) {
          if (from >= window.to || to < window.from) continue;
          const copied = await copySegment(session, controller, { edge, segment, folder });
          if (!copied) session.finish(exitStatus.failed);
        }
      }
    });
}

/** Under its own name only when it is whole and as the agent has it. */
async function copySegment(
  session: Session,
  controller: Controller,
  { edge, segment, folder }: { readonly edge: string; readonly segment: number; readonly folder: string },
): Promise<boolean> {
  const opened = await controller.ask('copy', { edge, segment }, openedAnswer);
  if (opened === undefined) return false;
  const file = join(folder, `${edge}-${segment}.jsonl`);
  const unfinished = `${file}.part`;
  const descriptor = openSync(unfinished, 'w', 0o600);
  let length = 0;
  try {
    for (;;) {
      const part = await controller.ask('copy-read', { reading: opened.reading }, copyAnswer);
      if (part === undefined) return false;
      const octets = Buffer.from(part.octets, 'base64');
      for (let at = 0; at < octets.length; ) at += writeSync(descriptor, octets, at);
      length += octets.length;
      if (!part.over) continue;
      if (part.problem !== undefined) {
        sayProblem(session, edge, part.problem);
        return false;
      }
      renameSync(unfinished, file);
      session.terminal.out(printable(`${file}  ${length} octets  sha256 ${part.sha256}`));
      return true;
    }
  } finally {
    closeSync(descriptor);
  }
}
