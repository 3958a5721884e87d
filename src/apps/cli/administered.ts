import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { catalogue, type Failure } from '#kernel';
import {
  AdministrationClient,
  type AdministrationVerb,
  type VerbArguments,
  type VerbResult,
} from '#platform/service';
import { exitStatus, printable, printableJson, type Session } from './terminal.ts';

/** Where the packaged systemd units put the socket; the first that is there is meant. */
const USUAL_SOCKETS = ['/run/sallyport/edge.sock', '/run/sallyport/internal.sock'];

export interface Administered {
  readonly socket?: string;
  readonly json?: true;
}

/** A command that asks a running program over its administration socket. */
export function administrationCommand(root: Command, name: string, description: string): Command {
  return root
    .command(name)
    .description(description)
    .option(
      '--socket <path>',
      `host.administration.socket of the program; default ${USUAL_SOCKETS.join(' or ')}`,
    )
    .option('--json', 'print the answer as JSON');
}

/** The answer, or undefined after the reason was printed and the exit status set. With `--json` it is printed here. */
export async function ask<Verb extends AdministrationVerb>(
  session: Session,
  options: Administered,
  verb: Verb,
  args: VerbArguments<Verb>,
  render: (answer: VerbResult<Verb>) => string,
): Promise<VerbResult<Verb> | undefined> {
  const socket = options.socket ?? USUAL_SOCKETS.find((path) => existsSync(path)) ?? USUAL_SOCKETS[0] ?? '';
  const outcome = await new AdministrationClient(socket).call(verb, args);
  if (!outcome.ok) {
    complain(session, outcome.error);
    return undefined;
  }
  session.terminal.out(options.json === true ? printableJson(outcome.value) : render(outcome.value));
  return outcome.value;
}

/** Asks one service by verbs of its own; what such a verb answers is known to whoever names it. */
export function verbsOf(session: Session, service: string) {
  return <Answer>(options: Administered, verb: string, args: object, render: (answer: Answer) => string) =>
    ask(session, options, 'call', { service, verb, arguments: args }, (answer) =>
      render(answer as unknown as Answer),
    );
}

/** Prints what went wrong and what to do, and sets the exit status. */
export function complain(session: Session, { code, message }: Failure): void {
  session.terminal.error(printable(`${code} ${message}`));
  session.terminal.error(`  ${catalogue[code].remedy}`);
  session.finish(code === 'SLP-SVC-0015' ? exitStatus.unreachable : exitStatus.failed);
}
