import { type Answer, decode, encode, type Packet } from 'dns-packet';
import type { ExchangeAction, ExchangeOutcome } from '../exchange.ts';

export type SendAction = ExchangeAction & { readonly do: 'send' };

/** The one question that a list of actions sends. */
export function sentBy(actions: readonly ExchangeAction[]): SendAction {
  const sent = actions.filter((action) => action.do === 'send');
  if (sent.length !== 1) throw new Error(`sent ${sent.length}: ${JSON.stringify(actions)}`);
  return sent[0]!;
}

export function outcomeOf(actions: readonly ExchangeAction[]): ExchangeOutcome {
  const finished = actions.find((action) => action.do === 'finish');
  if (finished === undefined) throw new Error(`not finished: ${JSON.stringify(actions)}`);
  return finished.outcome;
}

/** A response to a question, with what is given; flags hold the code in their last four bits. */
export function replyTo(question: Buffer, more: Partial<Packet> = {}): Buffer {
  const asked = decode(question);
  const { id, questions } = asked;
  return encode({ type: 'response', id: id ?? 0, questions: questions ?? [], ...more });
}

export const a = (name: string, data: string, ttl = 60): Answer => ({
  type: 'A',
  class: 'IN',
  name,
  data,
  ttl,
});
export const cname = (name: string, data: string, ttl = 60): Answer => ({
  type: 'CNAME',
  class: 'IN',
  name,
  data,
  ttl,
});
export const soa = (name: string, minimum: number, ttl = 3600): Answer => ({
  type: 'SOA',
  class: 'IN',
  name,
  ttl,
  data: { mname: `ns.${name}`, rname: `admin.${name}`, serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});
