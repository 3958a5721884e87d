import { z } from 'zod';
import { ok } from '#kernel';
import { type Demand, logLevels } from '#protocols/log-query';
import type { ServiceDefinition } from '../definition.ts';
import type { CollectedItem } from '../event-collector.ts';
import { verb } from '../verb.ts';
import type { TestDocument } from './document.ts';

const demand = z.object({
  providers: z.record(z.string(), z.object({ level: z.enum(logLevels), bodies: z.boolean() })),
});

function describe(service: string, item: CollectedItem): string {
  if (item.type === 'record') return `${service} ${item.record.name}`;
  if (item.type === 'lost') return `${service} lost ${item.count}`;
  return `${service} ${item.capture.protocol} ${Buffer.from(item.capture.bytes).toString()}`;
}

/** Collects what all services emit, and tells it. */
export const service: ServiceDefinition<TestDocument> = {
  name: 'replica',
  title: 'collector',
  create({ collector }) {
    const collected: string[] = [];
    if (collector !== undefined) {
      collector.onItem = (name, item) => void collected.push(describe(name, item));
    }
    return {
      provision: async () => ok({ commit: async () => {}, abandon: async () => {} }),
      health: () => ({ ok: true, detail: 'well' }),
      verbs: {
        demand: verb(demand, (wanted) => collector?.demand(wanted as Demand)),
        collected: verb(z.strictObject({}), async () => {
          await collector?.sync();
          return collected.splice(0);
        }),
      },
      drain() {},
      undrain() {},
      remaining: () => 0,
      stop: async () => {},
    };
  },
};
