import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { type ManagementStatus, managementStatus } from '#internal/management';
import { exitStatus, printable, type Session, table } from '../terminal.ts';
import { askStore, author, type StoreOptions, storeCommand, time } from './store.ts';

const edgesAnswer = z.object({ edges: z.array(z.string()) });
const stepsAnswer = z.object({
  steps: z.array(z.object({ step: z.string(), ok: z.boolean(), detail: z.string() })),
});

/** `config status|replicate|test|trust|roll-keys` */
export function addReplicationCommands(config: Command, session: Session): void {
  storeCommand(config, 'status', 'a row an edge: what it runs, what went wrong, and what to do').action(
    async (options: StoreOptions) => {
      const status = await askStore(session, options, 'status', {}, managementStatus, renderStatus);
      if (status?.edges.some((edge) => edge.state !== 'up-to-date')) session.finish(exitStatus.failed);
    },
  );
  storeCommand(config, 'replicate', 'push now what edges lack')
    .argument('[edge]', 'one edge; all when left out')
    .option('--full', 'send everything again, whether it is there or not')
    .option('--adopt', "go on from the edge's own version, which this store does not know")
    .action(async (edge: string | undefined, options: StoreOptions & { full?: true; adopt?: true }) => {
      const chosen = edge === undefined ? {} : { edge };
      const args = {
        ...chosen,
        full: options.full === true,
        adopt: options.adopt === true,
        author: author(),
      };
      const render = ({ edges }: z.output<typeof edgesAnswer>) =>
        `asked: ${edges.join(', ')}; config status shows what comes of it`;
      await askStore(session, options, 'replicate', args, edgesAnswer, render);
    });
  storeCommand(config, 'test', 'walk every step towards an edge aloud')
    .argument('<edge>')
    .action(async (edge: string, options: StoreOptions) => {
      const answer = await askStore(session, options, 'test', { edge }, stepsAnswer, ({ steps }) =>
        steps
          .map(({ step, ok, detail }) => printable(`${ok ? 'ok  ' : 'FAIL'}  ${step}: ${detail}`))
          .join('\n'),
      );
      if (answer?.steps.some((step) => !step.ok)) session.finish(exitStatus.failed);
    });
  storeCommand(config, 'trust', 'take the sealing key that an edge shows now, after it was set up anew')
    .argument('<edge>')
    .action(async (edge: string, options: StoreOptions) => {
      await askStore(
        session,
        options,
        'trust',
        { edge, author: author() },
        z.object({ edge: z.string() }),
        () => `trusted: ${edge}`,
      );
    });
  storeCommand(
    config,
    'roll-keys',
    'make new keys by one version; they are used as soon as every edge knows them',
  )
    .addArgument(new Argument('[keys]', 'which').choices(ROLLED).default('all'))
    .action((keys: RolledKeys, options: StoreOptions) => rollKeys(session, options, keys));
}

/** Keys of the store by kind: of media credentials, of flow tokens. */
export const ROLLED = ['media', 'flow', 'all'] as const;
type RolledKeys = (typeof ROLLED)[number];

/** One publication with the new keys; the store has them used when every edge runs it. */
export async function rollKeys(session: Session, options: StoreOptions, keys: RolledKeys): Promise<void> {
  const answer = z.object({ names: z.array(z.string()), edges: z.array(z.string()) });
  await askStore(session, options, 'keys-roll', { keys, author: author() }, answer, ({ names, edges }) =>
    edges.length === 0
      ? `made: ${names.join(', ')}; no edge was heard of yet`
      : `made: ${names.join(', ')}; used once all of these know them: ${edges.join(', ')}`,
  );
}

function renderStatus({ store, edges }: ManagementStatus): string {
  const head = [
    `store ${store.host}, version ${store.version}, product ${store.product}, heartbeat ${time(store.heartbeat)}`,
    `signs as ${store.fingerprint}`,
    ...(store.keys === 'rolling' ? ['new keys wait until every edge knows them'] : []),
    ...store.waits.flatMap(({ code, message, remedy }) => [
      printable(`  ${code} ${message}`),
      `    ${printable(remedy)}`,
    ]),
    '',
  ];
  const rows = edges.map((edge) =>
    [
      edge.name,
      edge.state,
      `${edge.there ?? '-'} of ${edge.here ?? '-'}`,
      time(edge.lastReport),
      time(edge.lastUpdate),
      edge.product ?? '-',
    ].map(printable),
  );
  const errors = [
    ...(store.error === null ? [] : [{ of: 'store', ...store.error }]),
    ...edges.flatMap(({ name, error }) => (error === null ? [] : [{ of: name, ...error }])),
    ...edges.flatMap(({ name, notices }) => notices.map((notice) => ({ of: `${name} (notice)`, ...notice }))),
  ].flatMap(({ of, code, message, remedy }) => [
    '',
    printable(`${of}: ${code} ${message}`),
    `  ${printable(remedy)}`,
  ]);
  return [
    ...head,
    table([['EDGE', 'STATE', 'VERSION', 'LAST REPORT', 'LAST UPDATE', 'PRODUCT'], ...rows]),
    ...errors,
  ].join('\n');
}
