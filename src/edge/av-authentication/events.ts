import { sipKeys, traceOf } from '#platform/message-log';
import type { EventDraft } from '#platform/telemetry';
import { normaliseKey } from '#protocols/log-query';
import type { SipRequest } from '#protocols/sip';
import type { Answer } from './answer.ts';

const ABOUT = { provider: 'AvAuthentication', component: 'authority', kind: 'decision' } as const;
const TRACES = 3;

/** What became of a request. The traces are those of the allocations that will be made with the credentials. */
export function answerEvent(request: SipRequest, answer: Answer): EventDraft {
  const { outcome, status, issued, user, accounts } = answer;
  const keys = sipKeys(request);
  const traces = accounts.slice(0, TRACES).map(traceOf);
  return {
    ...ABOUT,
    level: outcome === 'OK' ? 'info' : 'warning',
    name: outcome === 'OK' ? 'credentials-issued' : 'credentials-refused',
    fields: { rule: outcome, status, issued, user: user ?? '' },
    keys: {
      ...keys,
      ...(user === undefined ? {} : { uri: [normaliseKey('uri', user), ...(keys.uri ?? [])].slice(0, 4) }),
      trace: [...traces, ...(keys.trace ?? [])],
    },
  };
}

export function callerEvent(subject: string, address: string): EventDraft {
  const fields = { rule: 'caller-not-listed', subject, remote: address };
  return {
    ...ABOUT,
    level: 'warning',
    name: 'caller-refused',
    flags: ['security'],
    fields,
    keys: { address: [address] },
  };
}
