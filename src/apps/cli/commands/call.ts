import { type Command, InvalidArgumentError } from 'commander';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import { printableJson, type Session } from '../terminal.ts';

/** `sallyport call SERVICE VERB [ARGUMENTS]`: any verb that a service defines. */
export function addCall(root: Command, session: Session): void {
  administrationCommand(root, 'call', 'ask one service by a verb of its own; status --json lists them')
    .argument('<service>', 'its name in status')
    .argument('<verb>', 'the name of the verb')
    .argument('[arguments]', 'a JSON object', parseJson)
    .action(async (service: string, verb: string, args: unknown, options: Administered) => {
      const call = { service, verb, arguments: args ?? {} };
      await ask(session, options, 'call', call, printableJson);
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Write a JSON object.');
  }
}
