import { after, before, test } from 'node:test';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import { ReplicationChaos } from './chaos/replication-chaos.ts';

/*
 * Store, replica agent, supervisors and services are killed at random steps of pushes. `npm run long:replication` does
 * the same five hundred times.
 */
const NETWORK = 79;
const KILLS = 20;
const SEED = 20_131_001;

let managed: ManagedPerimeter;
before(async () => {
  managed = await ManagedPerimeter.start(NETWORK);
});
after(async () => {
  await managed.perimeter.stop();
});

test(`${KILLS} kills at steps of a push: always a whole, signed configuration, and up to date at last`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  await managed.set('policy.relay.realm', 'before.test');
  await managed.upToDate();
  const chaos = new ReplicationChaos(managed, SEED, false);
  for (let kill = 1; kill <= KILLS; kill++) {
    const { victim, moment, lagMs } = await chaos.round();
    t.diagnostic(`${kill}: ${victim}, ${lagMs} ms after "${moment}"`);
  }
});
