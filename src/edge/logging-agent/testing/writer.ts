import { SeededRandom, SystemClock } from '#kernel';
import { silentLog } from '#platform/telemetry';
import { sampleEvent } from '../../../protocols/log-query/testing/events.ts';
import { LogStore } from '../store/log-store.ts';
import { SETTINGS } from './store-bench.ts';

/*
 * A process of its own that stores events in a folder, and says after each batch what the number of its last event is,
 * until it is killed or the store refuses.
 */
const store = LogStore.open({
  folder: process.argv[2] ?? '',
  settings: { ...SETTINGS, segmentBytes: Number(process.argv[3]) },
  clock: new SystemClock(),
  random: new SeededRandom(1),
  log: silentLog(),
  usedPercent: () => 0,
});
if (!store.ok) throw new Error(store.error.message);
for (let outcome = store.value.append([]); ; ) {
  const events = Array.from({ length: 40 }, (_, at) =>
    sampleEvent({ time: store.value.next + at, sequence: store.value.next + at }),
  );
  outcome = store.value.append(events);
  if (!outcome.ok) {
    process.stdout.write(`${outcome.error.code} ${outcome.error.message}\n`);
    break;
  }
  process.stdout.write(`${store.value.next - 1}\n`);
  store.value.tend();
}
