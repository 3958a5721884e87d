import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inside, RelayStage, type StagedClient } from '../testing/relay-stage.ts';

const PEER = '198.51.100.99';

function ready(client: StagedClient): StagedClient {
  client.allocate();
  assert.equal(client.permit([PEER, 5_000]), 0);
  client.received();
  return client;
}
function send(client: StagedClient, octets: number, times: number): void {
  for (let n = 0; n < times; n++) client.sendIndication(PEER, 5_000, 'x'.repeat(octets));
}

test('an allocation sends no more than its port may; a burst is saved up; what is beyond is counted', () => {
  const stage = new RelayStage({ limits: { portKilobits: 80, burstMilliseconds: 500 } });
  const client = ready(stage.client());
  send(client, 1_000, 8);
  assert.equal(stage.sink.toPeer.length, 5, '80 kbit/s are 10 000 octets a second, half of them at once');
  assert.equal(stage.relay.drops.get('over-bandwidth'), 3);
  stage.passUnswept(0.2);
  send(client, 1_000, 8);
  assert.equal(stage.sink.toPeer.length, 7);
  stage.passUnswept(60);
  send(client, 1_000, 8);
  assert.equal(stage.sink.toPeer.length, 12);
});

test('the allocations of one user share the bandwidth of the user, another has its own', () => {
  const stage = new RelayStage({ limits: { userKilobits: 80, burstMilliseconds: 500 } });
  const [one, two] = [ready(stage.client({ port: 1 })), ready(stage.client({ port: 2 }))];
  const other = ready(stage.client({ port: 3, username: 'bob' }));
  send(one, 1_000, 3);
  send(two, 1_000, 3);
  assert.equal(stage.sink.toPeer.length, 5);
  send(other, 1_000, 5);
  assert.equal(stage.sink.toPeer.length, 10);
});

test('what peers send is bounded as well, in a budget of its own', () => {
  const stage = new RelayStage({ limits: { portKilobits: 80, burstMilliseconds: 500 } });
  const client = ready(stage.client());
  send(client, 1_000, 5);
  const [relay] = stage.sink.opened[0]?.relays ?? [];
  assert.ok(relay);
  for (let n = 0; n < 8; n++) {
    stage.relay.handlePeerDatagram(relay, PEER, 5_000, Buffer.alloc(1_000), stage.now);
  }
  assert.equal(client.received().length, 5);
});

test('a client of a stream loses nothing: it is not read from until its debt is paid', () => {
  const stage = new RelayStage({ limits: { portKilobits: 80, burstMilliseconds: 500 } });
  const listener = { ...inside, id: 9, transport: 'tcp' as const };
  const client = ready(stage.client({ listener }));
  send(client, 1_000, 8);
  assert.equal(stage.sink.toPeer.length, 8);
  assert.deepEqual(
    stage.sink.paced.map(({ milliseconds }) => milliseconds),
    [100, 200, 300],
  );
  assert.equal(stage.relay.drops.get('over-bandwidth'), 0);
});

test('T18: well-known ports are no peers, but 443, where relays meet', () => {
  const stage = new RelayStage({ limits: { lowestPeerPort: 1_024 } });
  const client = stage.client();
  client.allocate();
  assert.equal(client.permit([PEER, 0]), 0);
  for (const port of [22, 25, 53, 80, 1_023]) {
    assert.equal(client.bindChannel(0x4000, PEER, port), 403, `${port}`);
    client.sendIndication(PEER, port, 'x');
  }
  assert.equal(stage.sink.toPeer.length, 0);
  assert.equal(stage.relay.drops.get('peer-port-refused'), 5);
  assert.equal(client.bindChannel(0x4000, PEER, 443), 0);
  assert.equal(client.bindChannel(0x4001, PEER, 1_024), 0);
});
