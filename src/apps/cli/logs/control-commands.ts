import type { Command } from 'commander';
import { type ControlEdges, controlAnswer } from '#internal/log-controller';
import { type Failure, ok, type Result } from '#kernel';
import { type ProviderRequest, readProviderRequest, scenarioNamed, scenarios } from '#protocols/log-query';
import { complain } from '../administered.ts';
import { exitStatus, printable, printableJson, type Session, table } from '../terminal.ts';
import { Controller, type LogsOptions, logsCommand, sayProblem } from './controller.ts';
import { parseDuration } from './duration.ts';

interface ScenarioOptions extends LogsOptions {
  readonly provider?: string[];
  readonly for?: number;
  readonly bodies?: boolean;
}

/** `logs start|stop|update|show|sync` */
export function addControlCommands(logs: Command, session: Session): void {
  for (const type of ['start', 'update'] as const) {
    logsCommand(
      logs,
      type,
      type === 'start'
        ? 'have every edge trace a scenario, and see that it does'
        : 'give a scenario that runs another length or other providers',
    )
      .argument('<scenario>', 'one that logs show --known lists, or a name of your own with --provider')
      .option('--provider <requests...>', 'provider[:level[:flag+flag]], such as Sip:verbose')
      .option('--for <duration>', 'how long it runs: 30m, 4h; 4h when left out', parseDuration)
      .option('--bodies', 'bodies of messages too; keys and passwords never')
      .option('--no-bodies', 'no bodies, whatever the scenario says')
      .action(async (name: string, options: ScenarioOptions) => {
        const command = scenarioCommand(type, name, options);
        if (!command.ok) complain(session, command.error);
        else await obey(session, options, command.value);
      });
  }
  logsCommand(logs, 'stop', 'end a scenario on every edge; what was traced stays searchable')
    .argument('<scenario>')
    .action(async (scenario: string, options: LogsOptions) =>
      obey(session, options, { type: 'stop', scenario }),
    );
  logsCommand(logs, 'sync', 'have everything that was emitted so far stored').action(
    async (options: LogsOptions) => obey(session, options, { type: 'sync' }),
  );
  logsCommand(logs, 'show', 'what every edge traces, keeps, and has lost')
    .option('--known', 'list the scenarios and providers that there are, and ask nobody')
    .action(async (options: LogsOptions & { readonly known?: true }) => {
      if (options.known === true) session.terminal.out(known());
      else await show(session, options);
    });
}

function scenarioCommand(
  type: 'start' | 'update',
  name: string,
  { provider, for: durationMs, bodies }: ScenarioOptions,
): Result<{ readonly type: 'start' | 'update' }, Failure> {
  const requests: ProviderRequest[] = [];
  for (const text of provider ?? []) {
    const request = readProviderRequest(text);
    if (!request.ok) return request;
    requests.push(request.value);
  }
  const scenario = scenarioNamed(name);
  if (!scenario.ok && requests.length === 0) return scenario;
  return ok({
    type,
    scenario: scenario.ok ? scenario.value.name : name,
    ...(requests.length === 0 ? {} : { providers: requests }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(bodies === undefined ? {} : { bodies }),
  });
}

async function obey(session: Session, options: LogsOptions, command: object): Promise<void> {
  const answer = await new Controller(session, options).task('command', { command }, controlAnswer);
  if (answer === undefined) return;
  for (const { edge, problem, verified, scenarios: running } of answer.edges) {
    if (problem !== undefined) sayProblem(session, edge, problem);
    else {
      const names = running?.map((one) => one.name).join(', ');
      const runs = names === undefined ? 'done' : `runs ${names === '' ? 'nothing' : names}`;
      const seen = verified === true ? '; an event was traced and found' : '';
      session.terminal.out(printable(`${edge}: ${runs}${seen}`));
    }
  }
  if (answer.edges.some(({ problem }) => problem !== undefined)) session.finish(exitStatus.failed);
}

async function show(session: Session, options: LogsOptions): Promise<void> {
  const controller = new Controller(session, options);
  const status = await controller.task('command', { command: { type: 'status' } }, controlAnswer);
  if (status === undefined) return;
  const running = await controller.task('command', { command: { type: 'show' } }, controlAnswer);
  if (running === undefined) return;
  const edges = status.edges.map((one) => ({
    ...running.edges.find(({ edge }) => edge === one.edge),
    ...one,
  }));
  session.terminal.out(options.json === true ? printableJson(edges) : edgesText(edges));
  for (const { edge, problem } of edges) if (problem !== undefined) sayProblem(session, edge, problem);
  if (edges.some(({ problem }) => problem !== undefined)) session.finish(exitStatus.failed);
}

function edgesText(edges: ControlEdges): string {
  const rows = edges
    .filter(({ problem }) => problem === undefined)
    .map(({ edge, status, skewMs }) => [
      edge,
      String(status?.events ?? ''),
      String(status?.segments ?? ''),
      megabytes(status?.bytes),
      `${Math.round(status?.diskPercent ?? 0)} %`,
      when(status?.oldest),
      String(status?.dropped ?? ''),
      String(status?.suppressed ?? ''),
      [status?.problem, skewMs === undefined ? undefined : `clock ${skewMs} ms off`]
        .filter(Boolean)
        .join('; '),
    ]);
  const scenarioRows = edges.flatMap(({ edge, scenarios: running }) =>
    (running ?? []).map(({ name, startedAt, endsAt, bodies }) => [
      edge,
      name,
      when(startedAt),
      endsAt === null ? 'when it is stopped' : when(endsAt),
      bodies ? 'with bodies' : '',
    ]),
  );
  const print = (cells: readonly string[][]) => cells.map((row) => row.map(printable));
  return [
    table([
      ['EDGE', 'EVENTS', 'SEGMENTS', 'SIZE', 'DISK', 'OLDEST', 'LOST', 'HELD BACK', 'TROUBLE'],
      ...print(rows),
    ]),
    '',
    table([['EDGE', 'SCENARIO', 'SINCE', 'ENDS', ''], ...print(scenarioRows)]),
  ].join('\n');
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${(bytes / 1_048_576).toFixed(1)} MB`;
}
function when(time: number | null | undefined): string {
  return time === null || time === undefined ? '-' : new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

function known(): string {
  return table([
    ['SCENARIO', '', 'PROVIDERS'],
    ...scenarios.map(({ name, bodies, providers }) => [
      name,
      bodies ? 'with bodies' : '',
      providers.map(({ provider, level }) => `${provider}:${level}`).join(' '),
    ]),
  ]);
}
