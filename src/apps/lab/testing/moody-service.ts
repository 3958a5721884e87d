import { ok } from '#kernel';
import type { ServiceDefinition } from '#platform/service';
import type { EdgeDocument } from '#platform/topology';

/** The realm with which it falls ill. */
const ILL = 'ill.test';

/** Stands in for a service of the edge: takes every document, and is not well with one of them. */
export const service: ServiceDefinition<EdgeDocument> = {
  name: 'av-authentication',
  title: 'moody service',
  create() {
    let realm = '';
    return {
      provision: async (document) =>
        ok({
          commit: async () => {
            realm = document.policy.relay.realm;
          },
          abandon: async () => {},
        }),
      health: () => ({ ok: realm !== ILL, detail: `realm ${realm}` }),
      verbs: {},
      drain() {},
      undrain() {},
      remaining: () => 0,
      stop: async () => {},
    };
  },
};
