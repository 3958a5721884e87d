import { makeSealingKey } from '#protocols/replication';
import type { FuzzTarget } from '#tools/fuzz';
import { lock, unlock } from './container.ts';

const key = makeSealingKey();
const content = Buffer.from('documents, keys, databases');
const locked = lock(content, { kind: 'recipient', publicKey: key.publicKey });
if (!locked.ok) throw new Error('no seed');

/** What opens is what was locked, to the letter. What lies in it was written by whoever had the key. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'backup/container',
    seeds: [locked.value],
    run(input) {
      const opened = unlock(input, { kind: 'recipient', key });
      if (opened.ok && !opened.value.equals(content)) throw new Error('opened what was changed');
    },
  },
];
