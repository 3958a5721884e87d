import type { Command } from 'commander';
import type { ProgramStatus } from '#platform/service';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

/** `sallyport status` */
export function addStatus(root: Command, session: Session): void {
  administrationCommand(
    root,
    'status',
    'show services, listeners and the document of a running program',
  ).action(async (options: Administered) => {
    const status = await ask(session, options, 'status', {}, render);
    if (status?.healthy === false) session.finish(exitStatus.unhealthy);
  });
}

function render(status: ProgramStatus): string {
  const { document } = status;
  const accepted =
    document.version === 0
      ? 'no document yet'
      : `document ${document.version}, accepted ${new Date(document.acceptedAt).toISOString()}`;
  return [
    `sallyport ${status.program}: ${status.healthy ? 'healthy' : 'NOT HEALTHY'}, ${status.mode}, pid ${status.pid}, Node ${status.node}`,
    `${accepted}: ${printable(document.file)}`,
    '',
    table([
      ['SERVICE', 'STATE', 'PID', 'RESTARTS', 'DOCUMENT', 'REMAINING', 'HEALTH'],
      ...status.services.flatMap((service) => [row(service), ...workerRows(service)]),
    ]),
    '',
    table([
      ['LISTENS', 'ADDRESS', 'PORT', 'FOR', 'PORT ROWS'],
      ...status.listeners.map(({ transport, address, port, service, rows }) => {
        return [transport, address, String(port), service, rows.join(', ')];
      }),
    ]),
  ].join('\n');
}

/** Of a service that runs in several processes, each of them. */
function workerRows({ workers = [] }: ProgramStatus['services'][number]): string[][] {
  return workers.map(({ pid, state, restarts, remaining, health }, index) => [
    `  worker ${index + 1}`,
    state,
    ...[pid ?? '-', restarts, '', remaining].map(String),
    health.ok ? 'ok' : 'ILL',
  ]);
}

function row(service: ProgramStatus['services'][number]): string[] {
  const state = service.draining ? `${service.state}, draining` : service.state;
  const health = `${service.health.ok ? 'ok' : 'ILL'}: ${printable(service.health.detail)}`;
  const numbers = [service.pid ?? '-', service.restarts, service.documentVersion ?? '-', service.remaining];
  return [service.name, state, ...numbers.map(String), health];
}
