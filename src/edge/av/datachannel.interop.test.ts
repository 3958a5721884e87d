import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  cleanup,
  type DataChannel,
  type IceServer,
  initLogger,
  PeerConnection,
  type SelectedCandidateInfo,
} from 'node-datachannel';
import { Bench, until } from './testing/bench.ts';

/*
 * libdatachannel with libjuice: an ICE agent, a TURN client and SCTP over DTLS that we did not write. It knows TURN over
 * UDP only, and gives nothing back when it leaves.
 */
const EXTERNAL = '127.0.9.106';
const INTERNAL = '127.0.9.107';
const CHUNK = 16_384;
const CHUNKS = 32;

let bench: Bench;
const complaints: string[] = [];

before(async () => {
  bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_400, 56_499],
    allowedPeers: [],
  });
  initLogger('Warning', (_level, message) => void complaints.push(message));
});

after(async () => {
  await bench?.stop();
  cleanup();
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

function agent(name: string, server: IceServer): PeerConnection {
  return new PeerConnection(name, { iceServers: [server], iceTransportPolicy: 'relay' });
}

/** Each gets the other's description and candidates as they come. */
function introduce(one: PeerConnection, other: PeerConnection): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.onLocalDescription((sdp, type) => to.setRemoteDescription(sdp, type));
    from.onLocalCandidate((candidate, mid) => to.addRemoteCandidate(candidate, mid));
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
      const caller = agent('caller', relay(from === 'outside' ? EXTERNAL : INTERNAL));
      const callee = agent('callee', relay(INTERNAL));
      introduce(caller, callee);
      let theirs: DataChannel | undefined;
      callee.onDataChannel((channel) => {
        theirs = channel;
      });
      const ours = caller.createDataChannel('bulk');
      await until(() => ours.isOpen() && theirs?.isOpen() === true);
      assert.ok(theirs !== undefined);
      const sums = await Promise.all([send(ours, theirs), send(theirs, ours)]);
      for (const { sent, heard } of sums) assert.equal(heard, sent);
      for (const pair of [caller.getSelectedCandidatePair(), callee.getSelectedCandidatePair()]) {
        assert.ok(pair !== null);
        for (const { type, address } of [pair.local, pair.remote] satisfies SelectedCandidateInfo[]) {
          assert.deepEqual([type, address], ['relay', EXTERNAL]);
        }
      }
      assert.ok((await counters()).relayed.switchedPackets > before);
      // It leaves without a word: its allocations stay until their lifetime ends.
      for (const one of [caller, callee]) one.close();
    });
  }

  test('a wrong password is told to the client, and no allocation is made', async () => {
    const { allocations } = await counters();
    const caller = agent('stranger', relay(EXTERNAL, 'wrong'));
    caller.createDataChannel('never');
    await until(() => complaints.some((one) => /TURN authentication failed/i.test(one)));
    assert.equal((await counters()).allocations, allocations);
    caller.close();
  });
});

/** Sends random octets from one end to the other; the hashes of what was sent and of what came. */
async function send(from: DataChannel, to: DataChannel): Promise<{ sent: string; heard: string }> {
  const sent = createHash('sha256');
  const heard = createHash('sha256');
  let octets = 0;
  to.onMessage((message) => {
    assert.ok(Buffer.isBuffer(message));
    heard.update(message);
    octets += message.length;
  });
  for (let n = 0; n < CHUNKS; n += 1) {
    const chunk = randomBytes(CHUNK);
    sent.update(chunk);
    from.sendMessageBinary(chunk);
  }
  await until(() => octets === CHUNK * CHUNKS);
  return { sent: sent.digest('hex'), heard: heard.digest('hex') };
}
