import { type Command, InvalidArgumentError } from 'commander';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import { printable, type Session } from '../terminal.ts';

interface EventSettings extends Administered {
  readonly after?: number;
  readonly limit: number;
}

/** `sallyport events` */
export function addEvents(root: Command, session: Session): void {
  administrationCommand(root, 'events', 'list the latest events of all services')
    .option('--after <sequence>', 'those that follow this number; the latest when left out', parseCount)
    .option('--limit <count>', 'at most so many, 1 to 1000', parseCount, 100)
    .action(async (options: EventSettings) => {
      await ask(
        session,
        options,
        'events',
        { ...(options.after === undefined ? {} : { after: options.after }), limit: options.limit },
        ({ events, dropped }) => {
          const lines = events.map(({ sequence, service, at, name, fields }) => {
            const when = new Date(at).toISOString();
            return printable(`${sequence}  ${when}  ${service}  ${name}  ${JSON.stringify(fields)}`);
          });
          return [...lines, `${events.length} events shown, ${dropped} lost`].join('\n');
        },
      );
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError('Write a whole number.');
}
