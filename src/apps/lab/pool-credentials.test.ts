import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { formatMrasRequest, parseMrasResponse } from '#protocols/credentials';
import { Bench as Relay, TestClient } from '../../edge/av/testing/bench.ts';
import { Bench as Authority } from '../../edge/av-authentication/testing/bench.ts';

/*
 * Two edges of a pool that share nothing but the media key: one issues (port row int-05), the other relays (ext-14, int-06).
 */
const EXTERNAL = '127.0.9.116';
const INTERNAL = '127.0.9.117';
const CLIENT = '127.0.9.118';
const USER = 'sip:alice@example.test';

async function start(t: TestContext): Promise<{ authority: Authority; relay: Relay }> {
  const authority = await Authority.start();
  t.after(() => authority.stop());
  const relay = await Relay.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [57_900, 57_939],
    allowedPeers: [],
  });
  t.after(() => relay.stop());
  return { authority, relay };
}

/** One credential for each location, issued in one request. */
async function issued(authority: Authority): Promise<{ username: string; password: string }[]> {
  const body = formatMrasRequest({
    requestId: '1',
    version: '1.0',
    to: 'sip:edge.corp.test',
    from: USER,
    route: 'loadbalanced',
    credentials: (['internet', 'intranet'] as const).map((location) => ({
      id: location,
      identity: USER,
      location,
    })),
  });
  const answer = parseMrasResponse((await (await authority.frontEnd()).ask({ body })).body);
  assert.ok(answer.ok && answer.value.reason === 'OK');
  return answer.value.credentials.map(({ credentials }) => credentials);
}

test('a token from one edge is good at the other, on both faces, and counts there as the same user', async (t) => {
  const { authority, relay } = await start(t);
  const [outside, inside] = await issued(authority);
  assert.ok(outside !== undefined && inside !== undefined);
  const clients = [
    await TestClient.open(relay, CLIENT, EXTERNAL, outside),
    await TestClient.open(relay, CLIENT, INTERNAL, inside),
  ];
  for (const client of clients) assert.equal((await client.allocated()).address, EXTERNAL);
  const { allocations } = (await relay.verb('allocations')) as { allocations: { user: string }[] };
  assert.equal(new Set(allocations.map(({ user }) => user)).size, 1);
  for (const client of clients) client.close();
});

test('an edge with another key takes no token of this one', async (t) => {
  const { authority, relay } = await start(t);
  relay.writeKey('current.media', 7);
  relay.document.policy.mediaCredentials.previousKeyFiles = [];
  await relay.apply();
  const [outside] = await issued(authority);
  assert.ok(outside !== undefined);
  const client = await TestClient.open(relay, CLIENT, EXTERNAL, outside);
  const event = await client.allocate();
  assert.ok(event.type === 'ended' && event.code === 401, JSON.stringify(event));
  client.close();
});
