import fc from 'fast-check';
import { EVENT_BOUNDS, eventKinds, type LogEvent } from '../event.ts';
import { keyNames } from '../keys.ts';
import { eventFlags, logLevels, providerNames } from '../providers.ts';

/** An event as the Access Edge service makes them. */
export function sampleEvent(more: Partial<LogEvent> = {}): LogEvent {
  return {
    time: 1_790_000_000_000,
    sequence: 1,
    node: 'edge1.example.com',
    service: 'access',
    component: 'sip-endpoint',
    provider: 'Sip',
    level: 'info',
    kind: 'message',
    name: 'sip-message',
    flags: ['protocol'],
    text: 'INVITE sip:bob@example.com SIP/2.0\r\nCall-ID: a84b4c76e66710\r\n\r\n',
    keys: { callId: ['a84b4c76e66710'], uri: ['alice@example.com', 'bob@example.com'] },
    ...more,
  };
}

const word = fc.string({ maxLength: EVENT_BOUNDS.word, unit: 'grapheme' }).map((text) => text.slice(0, 64));

/** Any event that the bounds allow, with few different values so that queries find some. */
export const anyEvent: fc.Arbitrary<LogEvent> = fc.record(
  {
    time: fc.integer({ min: 1000, max: 1040 }),
    sequence: fc.nat(),
    node: fc.constantFrom('edge1', 'edge2'),
    service: fc.constantFrom('access', 'av'),
    component: fc.constantFrom('relay-host', 'registrar'),
    provider: fc.constantFrom(...providerNames.slice(0, 3)),
    level: fc.constantFrom(...logLevels),
    kind: fc.constantFrom(...eventKinds),
    name: word,
    flags: fc.subarray([...eventFlags]),
    text: fc.oneof(word, fc.constantFrom('Alice calls', 'bob HANGS up', 'ünïcode İ')),
    keys: fc.record(
      Object.fromEntries(
        keyNames.map((name) => [name, fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 })]),
      ),
      { requiredKeys: [] },
    ),
    body: fc.constantFrom('v=0', 'hello'),
    direction: fc.constantFrom('in' as const, 'out' as const),
  },
  {
    requiredKeys: [
      ...(['time', 'sequence', 'node', 'service', 'component', 'provider', 'level', 'kind', 'name'] as const),
      ...(['flags', 'text', 'keys'] as const),
    ],
  },
);
