import { type Command, InvalidArgumentError } from 'commander';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import type { Session } from '../terminal.ts';

/** `sallyport call SERVICE VERB [ARGUMENTS]`: any verb that a service defines. */
export function addCall(root: Command, session: Session): void {
  administrationCommand(root, 'call', 'ask one service by a verb of its own; status --json lists them')
    .argument('<service>', 'its name in status')
    .argument('<verb>', 'the name of the verb')
    .argument('[arguments]', 'a JSON object', parseJson)
    .action(async (service: string, verb: string, args: unknown, options: Administered) => {
      const call = { service, verb, arguments: args ?? {} };
      // JSON escapes what a terminal would obey.
      await ask(session, options, 'call', call, (answer) => JSON.stringify(answer, undefined, 2));
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Write a JSON object.');
  }
}
