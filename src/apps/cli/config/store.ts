import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { z } from 'zod';
import { type Administered, ask } from '../administered.ts';
import { exitStatus, type Session } from '../terminal.ts';

export const USUAL_SOCKET = '/run/sallyport/internal.sock';

export type StoreOptions = Administered;

/** A command that asks the management store over the administration socket of its program. */
export function storeCommand(config: Command, name: string, description: string): Command {
  return config
    .command(name)
    .description(description)
    .option('--socket <path>', 'host.administration.socket of the internal program', USUAL_SOCKET)
    .option('--json', 'print the answer as JSON');
}

/** Who asks: the operating system's user, and who that was before sudo. */
export function author(): string {
  const { username } = userInfo();
  const before = process.env.SUDO_USER;
  return before === undefined || before === '' || before === username ? username : `${before} as ${username}`;
}

/** A verb of the store; its answer is parsed before it is shown. Undefined after a failure, which has been printed. */
export async function askStore<Schema extends z.ZodType>(
  session: Session,
  options: StoreOptions,
  verb: string,
  args: Readonly<Record<string, unknown>>,
  schema: Schema,
  render: (answer: z.output<Schema>) => string,
): Promise<z.output<Schema> | undefined> {
  let parsed: z.output<Schema> | undefined;
  const call = { service: 'management', verb, arguments: args };
  await ask(session, options, 'call', call, (answer) => {
    const outcome = schema.safeParse(answer);
    if (!outcome.success) {
      session.finish(exitStatus.failed);
      return 'the management store gave an answer of another version';
    }
    parsed = outcome.data;
    return render(outcome.data);
  });
  return parsed;
}

export function time(at: number | null): string {
  return at === null ? 'never' : new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
