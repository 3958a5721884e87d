import { ok } from '#kernel';
import type { ServiceDefinition } from '#platform/service';

/** Does nothing, healthily; one of its verbs answers with something that a terminal would obey. */
export const service: ServiceDefinition<unknown> = {
  name: 'access',
  title: 'quiet service',
  create: ({ events }) => ({
    provision: async () => ok({ commit: async () => {}, abandon: async () => {} }),
    health: () => ({ ok: true, detail: 'well \u001b[31mand red' }),
    verbs: {
      greet: async (args) => {
        events.emit({
          provider: 'Access',
          component: 'test',
          level: 'info',
          kind: 'state',
          name: 'greeted',
          fields: { who: '\u001b[31mred' },
        });
        return { hello: args };
      },
    },
    drain() {},
    undrain() {},
    remaining: () => 3,
    async stop() {},
  }),
};
