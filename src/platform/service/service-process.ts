/**
 * The main module of a service process. Arguments: URL of the module that exports `service`, log level, which of the
 * service's processes this is, counted from 0, and how many there are.
 * The supervisor's signals are the only ones that count, so those of a terminal or a service manager, which reach
 * every process of the group, are ignored here; the end of the channel ends the process.
 */
import { Socket } from 'node:net';
import { SystemClock, SystemRandom } from '#kernel';
import { createLog, type LogLevel } from '#platform/telemetry';
import { ProcessChannel } from './channel.ts';
import { StreamPipe } from './event-pipe.ts';
import { EVENTS_DESCRIPTOR, loadDefinition } from './launch.ts';
import type { FromService } from './messages.ts';
import { ServiceHost } from './service-host.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const [, , module, level, index, count] = process.argv;
if (module === undefined || process.send === undefined) {
  process.stderr.write('this is a part of sallyport and is started by its supervisor\n');
  process.exit(2);
}
const channel = new ProcessChannel<FromService>(process as never);
// Until the service runs, the end of the supervisor is the end of this.
channel.onClose = () => process.exit(0);
const definition = await loadDefinition(module);
const worker = { index: Number(index), count: Number(count) };
const place = worker.count > 1 ? { worker: worker.index + 1 } : {};
new ServiceHost({
  definition,
  channel,
  events: new StreamPipe(new Socket({ fd: EVENTS_DESCRIPTOR })),
  clock: new SystemClock(),
  random: new SystemRandom(),
  log: createLog({
    level: level as LogLevel,
    fields: { service: definition.name, ...place, pid: process.pid },
  }),
  worker,
  ownProcess: true,
  ended: () => process.exit(0),
});
process.once('disconnect', () => process.exit(0));
