import { encode } from 'dns-packet';
import type { FuzzTarget } from '#tools/fuzz';
import { readResponse } from './answer.ts';
import { usualResolverLimits } from './dns-resolver.ts';
import { decodeResponse, type SentQuestion } from './message.ts';
import { type Question, questionName, type ServiceRecord } from './question.ts';
import { a, cname, soa } from './testing/replies.ts';

const question: Question = { name: '_x._tcp.a.example', type: 'SRV' };
const sent: SentQuestion = { id: 0x1234, spelled: '_x._TCP.a.eXample', type: 'SRV' };
const address: Question = { name: 'a.example', type: 'A' };
const sentAddress: SentQuestion = { id: 0x1234, spelled: 'a.exAMple', type: 'A' };

function reply(of: SentQuestion, more: Parameters<typeof encode>[0]): Buffer {
  return encode({
    type: 'response',
    id: of.id,
    questions: [{ type: of.type, class: 'IN', name: of.spelled }],
    ...more,
  });
}

const srv = (target: string) =>
  ({ type: 'SRV', class: 'IN', name: question.name, ttl: 5, data: { port: 1, target } }) as const;

/** Whatever is read is bounded and canonical; nothing throws. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'dns/services',
    seeds: [
      reply(sent, { answers: [srv('b.example'), srv('.')] }),
      reply(sent, { answers: [cname(question.name, '_y._tcp.b.example')] }),
      reply(sent, { flags: 3, authorities: [soa('example', 60)] }),
      reply(sent, { flags: 0x0200 }),
    ],
    run(input) {
      const response = decodeResponse(Buffer.from(input), sent, usualResolverLimits);
      if (!response.ok) return;
      const reading = readResponse(response.value, question, usualResolverLimits);
      if (reading.state === 'alias' && questionName(reading.target) !== reading.target)
        throw new Error('an alias that is no name');
      if (reading.state !== 'found') return;
      for (const value of reading.values as readonly ServiceRecord[]) {
        if (value.target !== '' && questionName(value.target) !== value.target)
          throw new Error(`target ${JSON.stringify(value.target)}`);
        for (const number of [value.port, value.priority, value.weight])
          if (!(number >= 0 && number <= 65535)) throw new Error(`number ${number}`);
      }
      if (!(reading.ttl >= 0 && reading.ttl < 2 ** 31)) throw new Error(`ttl ${reading.ttl}`);
    },
  },
  {
    name: 'dns/addresses',
    seeds: [
      reply(sentAddress, { answers: [cname('a.example', 'b.example'), a('b.example', '192.0.2.1')] }),
      reply(sentAddress, { answers: [a('a.example', '192.0.2.1', 2 ** 31 + 5)] }),
    ],
    run(input) {
      const response = decodeResponse(Buffer.from(input), sentAddress, usualResolverLimits);
      if (!response.ok) return;
      const reading = readResponse(response.value, address, usualResolverLimits);
      if (reading.state !== 'found') return;
      if (reading.values.length === 0) throw new Error('found nothing');
      for (const value of reading.values)
        if (!/^\d+(\.\d+){3}$/.test(String(value))) throw new Error(`address ${String(value)}`);
    },
  },
];
