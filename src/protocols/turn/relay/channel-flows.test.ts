import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOCUMENTATION, inside, RELAY_V4, RelayStage, type StagedClient } from '../testing/relay-stage.ts';
import type { Allocation } from './allocation.ts';
import type { ChannelFlow } from './channel-flows.ts';
import { parsePeerPolicy } from './peer-policy.ts';

const PEER = '192.0.2.50';

function bound(stage = new RelayStage()) {
  const client = stage.client();
  client.allocate();
  assert.equal(client.bindChannel(0x4001, PEER, 7_000), 0);
  const allocation = stage.sink.opened[0] ?? assert.fail('none');
  return { stage, client, allocation };
}
function only(stage: RelayStage, allocation: Allocation): ChannelFlow {
  const flows = stage.relay.flowsOf(allocation);
  assert.equal(flows.length, 1);
  return flows[0] ?? assert.fail('none');
}
/** Milliseconds from now: outward, inward. */
function ends(stage: RelayStage, allocation: Allocation): number[] {
  const { outwardEnds, inwardEnds } = only(stage, allocation);
  return [outwardEnds, inwardEnds].map((end) => (end === 0 ? 0 : end - stage.now));
}
/** Whether its sink was told of this allocation since the last time. */
function wasTold(stage: RelayStage, allocation: Allocation): boolean {
  return stage.sink.changed.delete(allocation);
}

test('a channel carries until the first of its rights ends, and whoever renews one says so', () => {
  const { stage, client, allocation } = bound();
  assert.ok(wasTold(stage, allocation));
  // Lifetime and channel 600 s, permission 300 s.
  assert.deepEqual(ends(stage, allocation), [600_000, 300_000]);
  stage.passUnswept(100);
  assert.equal(client.permit([PEER, 0]), 0);
  assert.ok(wasTold(stage, allocation));
  assert.deepEqual(ends(stage, allocation), [500_000, 300_000]);
  assert.equal(client.refresh(900), 0);
  assert.ok(wasTold(stage, allocation));
  assert.deepEqual(ends(stage, allocation), [500_000, 300_000]);
  assert.equal(client.bindChannel(0x4001, PEER, 7_000), 0);
  assert.ok(wasTold(stage, allocation));
  assert.deepEqual(ends(stage, allocation), [600_000, 300_000]);
  // The permission ends, and is not renewed: nothing comes in, what goes out goes on.
  stage.pass(300);
  assert.ok(wasTold(stage, allocation));
  assert.deepEqual(ends(stage, allocation), [300_000, 0]);
});

test('the end of the credential, of the allocation and of the channel end the flow', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall + 60_000);
  const { allocation } = bound(stage);
  assert.deepEqual(ends(stage, allocation), [60_000, 60_000]);
  stage.sink.changed.clear();
  stage.pass(60);
  assert.ok(wasTold(stage, allocation));
  assert.deepEqual(stage.relay.flowsOf(allocation), []);
  const next = bound();
  next.stage.sink.changed.clear();
  assert.equal(next.client.refresh(0), 0);
  assert.ok(wasTold(next.stage, next.allocation));
  assert.deepEqual(next.stage.relay.flowsOf(next.allocation), []);
});

test('a document that forbids the peer ends the flow at once; a tunnel takes what goes out', () => {
  const { stage, allocation } = bound();
  stage.sink.changed.clear();
  stage.relay.configure({ tunnel: { port: 3_478, streamPort: 443, hold: false, without: [] } });
  assert.deepEqual(ends(stage, allocation), [0, 300_000]);
  stage.relay.configure({ tunnel: null });
  const policy = parsePeerPolicy({
    ownAddresses: [],
    internalNetworks: [],
    allowedPeers: DOCUMENTATION.filter((network) => !network.startsWith('192.0.2.')),
  });
  assert.ok(policy.ok);
  stage.relay.configure({ policy: policy.value });
  assert.ok(wasTold(stage, allocation));
  assert.deepEqual(stage.relay.flowsOf(allocation), []);
});

function meet(stage: RelayStage, one: StagedClient, other: StagedClient) {
  const ports = [one, other].map((client) => {
    client.allocate();
    return stage.sink.opened.at(-1)?.relays[0]?.port ?? 0;
  });
  const [a, b] = stage.sink.opened;
  assert.ok(a && b);
  return { a, b, ports };
}

test('between two relayed addresses it needs both sides: permission and channel there, too', () => {
  const stage = new RelayStage();
  const one = stage.client();
  const other = stage.client({ listener: inside, address: '10.1.1.1', port: 9, username: 'bob' });
  const { a, b, ports } = meet(stage, one, other);
  const [first = 0, second = 0] = ports;
  assert.equal(one.bindChannel(0x4001, RELAY_V4, second), 0);
  assert.deepEqual([only(stage, a).outwardEnds, only(stage, a).reaches], [0, undefined]);
  assert.equal(other.permit([RELAY_V4, first]), 0);
  assert.equal(only(stage, a).outwardEnds, 0, 'without a channel there it is an indication');
  stage.sink.changed.clear();
  assert.equal(other.bindChannel(0x4777, RELAY_V4, first), 0);
  assert.ok(wasTold(stage, b));
  assert.deepEqual(only(stage, a).reaches, { allocation: b, channel: 0x4777 });
  assert.deepEqual(ends(stage, a), [300_000, 0]);
  assert.deepEqual(only(stage, b).reaches, { allocation: a, channel: 0x4001 });
  assert.equal(other.refresh(0), 0);
  assert.equal(only(stage, a).outwardEnds, 0);
});

test('what passed elsewhere counts as if it had passed here', () => {
  const { stage, allocation } = bound();
  const flowed = { packets: 3, octets: 300, overBudget: 2 };
  stage.relay.handleFlowed({ sender: allocation, receiver: undefined, ...flowed });
  stage.relay.handleFlowed({
    sender: undefined,
    receiver: allocation,
    packets: 2,
    octets: 20,
    overBudget: 0,
  });
  assert.deepEqual([allocation.sentPackets, allocation.sentBytes], [3, 300]);
  assert.deepEqual([allocation.receivedPackets, allocation.receivedBytes], [2, 20]);
  stage.relay.handleFlowed({
    sender: allocation,
    receiver: allocation,
    packets: 1,
    octets: 1,
    overBudget: 0,
  });
  const { sentPackets, sentBytes, receivedPackets, receivedBytes, switchedPackets } = stage.relay.counters;
  assert.deepEqual(
    [sentPackets, sentBytes, receivedPackets, receivedBytes, switchedPackets],
    [4, 301, 3, 21, 1],
  );
  assert.equal(stage.relay.drops.get('over-bandwidth'), 2);
  assert.deepEqual(stage.sink.drops, ['over-bandwidth', 'over-bandwidth']);
});
