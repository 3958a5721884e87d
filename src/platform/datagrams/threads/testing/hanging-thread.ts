/** The main module of a relay thread that hangs when it is told to; see `hangs.ts`. */
import { workerData } from 'node:worker_threads';
import type { ThreadStart } from '../messages.ts';
import '../relay-thread.ts';
import { hangIfTold } from './hangs.ts';

const { index, lifeSignMs } = workerData as ThreadStart;
// Between two turns of this there is at least one sign of life.
setInterval(() => hangIfTold(index), 2 * lifeSignMs).unref();
