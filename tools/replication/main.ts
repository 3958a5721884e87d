import { parseArgs } from 'node:util';
import { ReplicationChaos } from '../../src/apps/lab/faults/chaos/replication-chaos.ts';
import { ManagedPerimeter } from '../../src/apps/lab/testing/managed-perimeter.ts';

/*
 * `npm run long:replication`: kills the management store, the replica agent, supervisors and services at random steps of
 * pushes, and says after every kill what was hit. Ends with 1 as soon as anything is not whole or does not come right.
 */

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const NETWORK = 79;

console.log(`seed ${values.seed}`);
const managed = await ManagedPerimeter.start(NETWORK);
try {
  await managed.set('policy.relay.realm', 'before.test');
  await managed.upToDate();
  const chaos = new ReplicationChaos(managed, Number(values.seed), true);
  for (let kill = 1; kill <= Number(values.kills); kill++) {
    const begun = performance.now();
    const { victim, moment, lagMs } = await chaos.round();
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`${kill}: ${victim}, ${lagMs} ms after "${moment}"; well again after ${seconds} s`);
  }
} catch (error) {
  process.exitCode = 1;
  console.error(error);
  console.error(managed.perimeter.logs());
} finally {
  await managed.perimeter.stop();
}
