import { SystemClock } from '#kernel';
import { testFlows } from './flows.conformance.ts';
import { PlainRelayDatagrams } from './plain-relay-datagrams.ts';

const limits = { queuedBytes: 1 << 20, receiveBuffer: 1 << 20 };

testFlows('in one thread', async () => {
  const clock = new SystemClock();
  const now = () => clock.now();
  const room = { flows: 8, budgets: 8 };
  return { now, relay: new PlainRelayDatagrams({ clients: limits, peers: limits, room, now }) };
});
