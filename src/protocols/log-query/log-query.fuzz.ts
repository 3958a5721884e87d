import type { FuzzTarget } from '#tools/fuzz';
import { EVENT_BOUNDS, readEvent } from './event.ts';
import { encodeMessage, encodeOctets, FRAME_BYTES, LogFrameReader } from './framing.ts';
import { keyNames, normaliseKey } from './keys.ts';
import { type LogPort, portRequests, readAgentMessage, readRequest, requestIdOf } from './messages.ts';
import { matches, searchQuery } from './query.ts';
import { readProviderRequest } from './scenarios.ts';
import { sampleEvent } from './testing/events.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const frameBytes = 4096;

function readJson(input: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(input).toString('utf8'));
  } catch {
    return undefined;
  }
}

const requests: readonly object[] = [
  { type: 'hello', versions: [1, 2], product: '0.1.0' },
  { type: 'start', id: 1, scenario: 'X', providers: [{ provider: 'Sip', level: 'info', flags: [] }] },
  { type: 'mark', id: 2, marker: 'abcdefgh' },
  {
    type: 'search',
    id: 3,
    query: { keys: { uri: ['sip:a@b'] }, text: ['abc'], match: 'all', level: 'info' },
  },
  { type: 'follow', id: 4, query: {}, after: 'abc.17' },
  { type: 'copy', id: 5, segment: 1, offset: 7 },
];

export const targets: readonly FuzzTarget[] = [
  {
    name: 'log-query/frames',
    seeds: [Buffer.concat([encodeMessage({ a: 1 }), encodeOctets(Buffer.from('abc')), encodeMessage({})])],
    run(input) {
      // The same frames, whole or octet by octet, and never more held than one frame.
      const whole = new LogFrameReader({ frameBytes, frameMs: 1000 });
      const frames = JSON.stringify([...whole.push(input, 0)]);
      const slow = new LogFrameReader({ frameBytes, frameMs: 1000 });
      const pieces = [...input].flatMap((octet) => [...slow.push(Uint8Array.of(octet), 0)]);
      if (JSON.stringify(pieces) !== frames || whole.fault !== slow.fault)
        throw new Error('pieces change what is read');
    },
  },
  {
    name: 'log-query/requests',
    seeds: requests.map(json),
    run(input) {
      const text = Buffer.from(input).toString('utf8');
      requestIdOf(text);
      for (const port of Object.keys(portRequests) as LogPort[]) {
        const read = readRequest(port, text);
        if (read.ok && encodeMessage(read.value).length > FRAME_BYTES.toAgent + input.length * 6)
          throw new Error('a request grew');
      }
    },
  },
  {
    name: 'log-query/agent-messages',
    seeds: [
      json({ type: 'welcome', version: 1, node: 'e', product: '0', now: 1 }),
      json({ type: 'events', id: 1, events: [sampleEvent()], resume: 'a.1' }),
      json({ type: 'found', id: 1, events: 0, more: false, segments: { all: 1, opened: 0 } }),
      json({ type: 'refused', id: null, code: 'SLP-LOG-0001', message: 'x' }),
    ],
    run(input) {
      readAgentMessage(Buffer.from(input).toString('utf8'));
    },
  },
  {
    name: 'log-query/event',
    seeds: [json(sampleEvent({ fields: { a: 1 }, body: 'x', direction: 'in', local: '[::1]:1' }))],
    run(input) {
      const event = readEvent(readJson(input));
      if (event === undefined) return;
      if (JSON.stringify(readEvent(JSON.parse(JSON.stringify(event)))) !== JSON.stringify(event))
        throw new Error('read differently the second time');
      if (encodeMessage(event).length > FRAME_BYTES.fromAgent) throw new Error('longer than a frame');
      if (!matches(searchQuery.parse({}), event)) throw new Error('not found by a query that wants all');
    },
  },
  {
    name: 'log-query/names',
    seeds: [
      Buffer.from('Sip:verbose:protocol'),
      Buffer.from('<sip:a@b;x>'),
      Buffer.from('[::ffff:1.2.3.4]:5'),
    ],
    run(input) {
      const text = Buffer.from(input).toString('utf8');
      readProviderRequest(text);
      for (const name of keyNames) {
        const stored = normaliseKey(name, text);
        if (stored.length > EVENT_BOUNDS.keyValue) throw new Error('a key grew');
      }
    },
  },
];
