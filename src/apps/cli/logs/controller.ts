import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { type OutcomeAnswer, openedAnswer, pendingAnswer, readAnswer } from '#internal/log-controller';
import { AdministrationClient } from '#platform/service';
import type { LogEvent } from '#protocols/log-query';
import { type Administered, complain } from '../administered.ts';
import { exitStatus, printable, type Session } from '../terminal.ts';

const SERVICE = 'log-controller';
const USUAL_SOCKET = '/run/sallyport/internal.sock';
const WAIT_MS = 10_000;

export interface LogsOptions extends Administered {
  readonly edge?: readonly string[];
}

/** A command that asks the log controller over the administration socket of the internal program. */
export function logsCommand(logs: Command, name: string, description: string): Command {
  return logs
    .command(name)
    .description(description)
    .option('--socket <path>', 'host.administration.socket of the internal program', USUAL_SOCKET)
    .option('--edge <names...>', 'only these edges; all of logging.edges when left out');
}

/** The log controller, asked by verbs; undefined after a failure, which has been printed. */
export class Controller {
  readonly #session: Session;
  readonly #client: AdministrationClient;
  readonly #edges: { readonly edges?: readonly string[] };

  constructor(session: Session, { socket = USUAL_SOCKET, edge }: LogsOptions) {
    this.#session = session;
    this.#client = new AdministrationClient(socket);
    this.#edges = edge === undefined ? {} : { edges: edge };
  }

  async ask<Schema extends z.ZodType>(
    verb: string,
    args: object,
    schema: Schema,
  ): Promise<z.output<Schema> | undefined> {
    const answer = await this.#client.call('call', { service: SERVICE, verb, arguments: args });
    if (!answer.ok) {
      complain(this.#session, answer.error);
      return undefined;
    }
    const parsed = schema.safeParse(answer.value);
    if (parsed.success) return parsed.data;
    this.#session.terminal.error('the log controller gave an answer of another version');
    this.#session.finish(exitStatus.failed);
    return undefined;
  }

  /** Something that all edges do, however long it takes. */
  async task<Schema extends z.ZodType>(
    verb: string,
    args: object,
    schema: Schema,
  ): Promise<z.output<Schema> | undefined> {
    const opened = await this.ask(verb, { ...args, ...this.#edges }, openedAnswer);
    while (opened !== undefined) {
      const answer = await this.ask(
        'outcome',
        { reading: opened.reading, waitMs: WAIT_MS },
        pendingAnswer.or(schema),
      );
      if (answer === undefined) return undefined;
      const whole = schema.safeParse(answer);
      if (whole.success) return whole.data;
    }
    return undefined;
  }

  /** What a search or a follow finds, part by part; how the edges fared, when it is over. */
  async *read(
    verb: 'search' | 'follow',
    args: object,
  ): AsyncGenerator<{ readonly events: readonly LogEvent[]; readonly edges: readonly OutcomeAnswer[] }> {
    const opened = await this.ask(verb, { ...args, ...this.#edges }, openedAnswer);
    if (opened === undefined) return;
    const { reading } = opened;
    try {
      for (;;) {
        const answer = await this.ask('read', { reading, waitMs: WAIT_MS }, readAnswer);
        if (answer === undefined) return;
        yield answer;
        if (answer.over) return;
        // A follow whose edges are all away answers at once, again and again.
        if (answer.events.length === 0) await pause(50);
      }
    } finally {
      await this.#client.call('call', { service: SERVICE, verb: 'close', arguments: { reading } });
    }
  }
}

/** Which edges did not answer, or not all, and why; true when every one did. */
export function reportEdges(session: Session, edges: readonly OutcomeAnswer[]): boolean {
  for (const { edge, problem, more, skewMs } of edges) {
    if (problem !== undefined) sayProblem(session, edge, problem);
    if (more) session.terminal.error(printable(`${edge}: there is more; narrow the search or raise --limit`));
    if (skewMs !== undefined) {
      session.terminal.error(
        printable(`${edge}: its clock is ${skewMs} ms off, so that its events may stand in the wrong place`),
      );
    }
  }
  return edges.every(({ problem }) => problem === undefined);
}

export function sayProblem(
  { terminal }: Session,
  edge: string,
  { code, message, remedy }: { readonly code: string; readonly message: string; readonly remedy: string },
): void {
  terminal.error(printable(`${edge}: did not answer: ${code} ${message}`));
  terminal.error(printable(`  ${remedy}`));
}
