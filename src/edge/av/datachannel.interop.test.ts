import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { IceServer } from 'node-datachannel';
import { Bench } from './testing/bench.ts';
import type { AgentsAsked, AgentsTold } from './testing/datachannel-agents.ts';

/*
 * libdatachannel with libjuice: an ICE agent, a TURN client and SCTP over DTLS that we did not write. It knows TURN over
 * UDP only, and gives nothing back when it leaves: its allocations stay until their lifetime ends.
 */
const EXTERNAL = '127.0.9.106';
const INTERNAL = '127.0.9.107';
const CHUNK = 16_384;
const CHUNKS = 32;
const AGENTS = new URL('./testing/datachannel-agents.ts', import.meta.url);

let bench: Bench;

before(async () => {
  bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_400, 56_499],
    allowedPeers: [],
  });
});
after(async () => {
  await bench?.stop();
});

let identities = 0;
function relay(server: string, password?: string): IceServer {
  identities += 1;
  const token = bench.token(`sip:user${identities}@example.test`);
  return {
    hostname: server,
    port: bench.port(server),
    username: token.username,
    password: password ?? token.password,
    relayType: 'TurnUdp',
  };
}

/** Has the two agents call one another; the first thing that they tell. */
async function agents(caller: IceServer, callee: IceServer): Promise<AgentsTold> {
  const child = fork(AGENTS, { stdio: 'inherit' });
  try {
    const told = new Promise<AgentsTold>((resolve, reject) => {
      child.once('message', (first) => resolve(first as AgentsTold));
      child.once('exit', (code, signal) => reject(new Error(`the agents ended early: ${code ?? signal}`)));
    });
    child.send({ caller, callee, chunks: CHUNKS, chunkBytes: CHUNK } satisfies AgentsAsked);
    return await told;
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

const counters = async () =>
  (await bench.verb('counters')) as { allocations: number; relayed: { switchedPackets: number } };

describe('two agents of libdatachannel that may only use the relay', () => {
  for (const [from, to] of [
    ['outside', 'inside'],
    ['inside', 'inside'],
  ] as const) {
    test(`${from} to ${to}: ${(CHUNK * CHUNKS) >> 10} KiB each way, unchanged`, async () => {
      const before = (await counters()).relayed.switchedPackets;
      const told = await agents(relay(from === 'outside' ? EXTERNAL : INTERNAL), relay(INTERNAL));
      assert.ok('sums' in told, JSON.stringify(told));
      assert.equal(told.sums.length, 2);
      for (const [sent, heard] of told.sums) assert.equal(heard, sent);
      assert.deepEqual(
        told.candidates,
        Array.from({ length: 4 }, () => `relay ${EXTERNAL}`),
      );
      assert.ok((await counters()).relayed.switchedPackets - before > (2 * CHUNK * CHUNKS) / 1_500);
    });
  }

  test('a wrong password is told to the client, and no allocation is made', async () => {
    const { allocations } = await counters();
    const told = await agents(relay(EXTERNAL, 'wrong'), relay(INTERNAL, 'wrong'));
    assert.ok('complaint' in told, JSON.stringify(told));
    assert.equal((await counters()).allocations, allocations);
  });
});
