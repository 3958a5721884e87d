import { after, before, test } from 'node:test';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import { RollChaos, type RollMoment } from './chaos/roll-chaos.ts';
import type { Victim } from './chaos/victims.ts';

/*
 * Store, replica agent, supervisors and services are killed at the steps of a roll of keys: when it is asked for, when the
 * version with the new keys is made, when the edge knows them, while it begins to use them, and after that.
 */
const NETWORK = 95;

let managed: ManagedPerimeter;
before(async () => {
  managed = await ManagedPerimeter.start(NETWORK);
});
after(async () => {
  await managed.perimeter.stop();
});

const edge = { program: 'edge', service: undefined } as const;
const kills: readonly [Victim, RollMoment, number][] = [
  [{ program: 'internal', service: 'management' }, 'asked', 5],
  [{ program: 'internal', service: undefined }, 'made', 0],
  [edge, 'known', 0],
  [{ program: 'internal', service: 'management' }, 'known', 10],
  [{ program: 'edge', service: 'replica' }, 'received', 0],
  [edge, 'received', 0],
  [{ program: 'edge', service: 'av-authentication' }, 'received', 15],
  [edge, 'received', 30],
  [edge, 'kept', 0],
  [{ program: 'internal', service: 'management' }, 'kept', 0],
  [edge, 'told', 0],
];

test(`${kills.length} kills at the steps of a roll: the keys of before or the new ones, whole and signed, and the new ones at last`, async (t) => {
  const chaos = new RollChaos(managed);
  for (const [victim, moment, lagMs] of kills) {
    await chaos.round(victim, moment, lagMs);
    t.diagnostic(`${victim.service ?? `supervisor of ${victim.program}`}, ${lagMs} ms after "${moment}"`);
  }
});
