import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { readParameters } from './parameters.ts';

const seeds = [
  'presence',
  'presence.winfo;id=7a',
  'terminated;reason=rejected;retry-after=5',
  'active ; expires = 60',
];

export const targets: readonly FuzzTarget[] = [
  {
    name: 'sip-event-headers',
    seeds: seeds.map((text) => Buffer.from(text)),
    run(input) {
      const read = readParameters(Buffer.from(input).toString('latin1'));
      if (read === undefined) return;
      const parameters = [...read.parameters].map(([name, value]) =>
        value === '' ? name : `${name}=${value}`,
      );
      assert.deepEqual(readParameters([read.value, ...parameters].join(';')), read);
    },
  },
];
