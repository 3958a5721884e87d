import type { EventDraft } from '#platform/telemetry';
import { normaliseKey } from '#protocols/log-query';
import type { RefusalNote } from './gateway-context.ts';

/** What was not passed on, with the rule and who is concerned. */
export function refusalEvent({ reason, from, to }: RefusalNote): EventDraft {
  return {
    provider: 'Xmpp',
    component: 'gateway',
    level: 'warning',
    kind: 'decision',
    name: 'stanza-refused',
    flags: ['security'],
    fields: { rule: reason, from: from.slice(0, 256), to: to.slice(0, 256) },
    keys: { uri: [from, to].map((jid) => normaliseKey('uri', jid.replace(/\/.*$/s, ''))) },
  };
}
