import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element } from '#protocols/xml';
import { NS, poolOrder, type StanzaOrigin, withOrigin } from '#protocols/xmpp';
import type { LinkFailure } from './index.ts';
import {
  GATEWAY,
  type GatewayEnd,
  inward,
  linkLimits,
  OURS,
  origin,
  outward,
  Seen,
  startEdge,
  startGateway,
  THEIRS,
} from './testing/link-bench.ts';

const idOf = ({ stanza }: { readonly stanza: { readonly attributes: ReadonlyMap<string, string> } }) =>
  stanza.attributes.get('id');

test('stanzas go both ways over the link that the gateway opened, inward ones with their origin', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const gateway = await startGateway(t, [edge.target]);
  await gateway.ready.count(1);
  assert.deepEqual(await edge.ready.count(1), [GATEWAY]);
  const settled = new Seen<LinkFailure | undefined>();
  edge.links.send(inward('in'), origin(7), (failed) => settled.add(failed));
  const [arrived] = await gateway.arrivals.count(1);
  assert.deepEqual(arrived?.origin, origin(7));
  assert.deepEqual(arrived?.pair, { from: THEIRS, to: OURS });
  assert.equal(arrived?.edge, 'edge1.example.com');
  assert.deepEqual(arrived?.stanza, inward('in'), 'the origin is not part of what the gateway reads');
  gateway.links.send(outward('out'), THEIRS, (failed) => settled.add(failed));
  assert.equal(idOf((await edge.arrivals.count(1))[0]!), 'out');
  assert.deepEqual(await settled.count(2), [undefined, undefined]);
});

test('X8 on the link: a partner cannot write an origin, nor a gateway anything for the proxy', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const gateway = await startGateway(t, [edge.target]);
  const forged: StanzaOrigin = { ...origin(1), type: 'federated', partner: 'other.example' };
  edge.links.send(withOrigin(inward('in'), forged), origin(2), () => {});
  const [arrived] = await gateway.arrivals.count(1);
  assert.deepEqual(arrived?.origin, origin(2));
  gateway.links.send(withOrigin(outward('out'), forged), THEIRS, () => {});
  assert.deepEqual((await edge.arrivals.count(1))[0]?.stanza, outward('out'));
});

test('a stanza counts as taken over only when the other side says that it is safe', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const gateway = await startGateway(t, [edge.target], { hold: true });
  const settled = new Seen<LinkFailure | undefined>();
  for (const number of [1, 2, 3])
    edge.links.send(inward(`${number}`), origin(number), (failed) => settled.add(failed));
  const [first, second, third] = await gateway.arrivals.count(3);
  third?.done();
  second?.done();
  // What goes the other way comes behind any acknowledgement that might have been sent.
  gateway.links.send(outward('mark'), THEIRS, () => {});
  await edge.arrivals.count(1);
  assert.deepEqual(settled.all, [], 'in the order of the stream, and the first is not safe yet');
  first?.done();
  assert.deepEqual(await settled.count(3), [undefined, undefined, undefined]);
});

test('what a gateway did not acknowledge comes again with the same origin when it is back', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const before = await startGateway(t, [edge.target], { hold: true });
  const settled = new Seen<LinkFailure | undefined>();
  for (const number of [1, 2, 3])
    edge.links.send(inward(`${number}`), origin(number), (failed) => settled.add(failed));
  const [first] = await before.arrivals.count(3);
  first?.done();
  await settled.count(1);
  before.links.close();
  edge.links.send(inward('4'), origin(4), (failed) => settled.add(failed));
  const after = await startGateway(t, [edge.target]);
  const again = await after.arrivals.count(3);
  assert.deepEqual(
    again.map(({ origin: { stream, number } }) => `${stream} ${number}`),
    [2, 3, 4].map((number) => `stream-of-juliet ${number}`),
  );
  assert.deepEqual(await settled.count(4), [undefined, undefined, undefined, undefined]);
});

test('a gateway opens its link again when the edge was away', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const gateway = await startGateway(t, [edge.target]);
  await gateway.ready.count(1);
  edge.links.leave();
  await gateway.ready.count(2);
});

test('a newer link of the same gateway takes the place of the older one', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  await startGateway(t, [edge.target], { hold: true });
  await edge.ready.count(1);
  edge.links.send(inward('1'), origin(1), () => {});
  const newer = await startGateway(t, [edge.target]);
  await newer.arrivals.count(1);
  assert.equal((await edge.ends.count(1))[0]?.reason, 'replaced');
});

const EDGES = ['edge1.example.com', 'edge2.example.com'] as const;
const DOMAINS = Array.from({ length: 16 }, (_, index) => `partner${index}.example`);

test('a partner has one edge of the pool, and another only while that one is away; no message goes by both', async (t) => {
  const edges = [await startEdge(t, EDGES[0], { hold: true }), await startEdge(t, EDGES[1])];
  const gateway = await startGateway(
    t,
    edges.map(({ target }) => target),
  );
  await gateway.ready.count(2);
  const fates = new Map<string, LinkFailure | undefined>();
  const settled = new Seen<string>();
  const send = (kind: 'message' | 'presence', domain: string, id = `${kind} to ${domain}`) => {
    const stanza = { ...outward(id, domain), name: kind };
    gateway.links.send(stanza, domain, (failed) => {
      fates.set(id, failed);
      settled.add(id);
    });
    return id;
  };
  const [here, there] = EDGES.map((name) => DOMAINS.filter((one) => poolOrder(one, EDGES)[0] === name));
  assert.ok(here !== undefined && there !== undefined && here.length > 0 && there.length > 0);
  const messages = [...there, ...here].map((domain) => send('message', domain));
  const presence = here.map((domain) => send('presence', domain));
  const [first, second] = edges;
  await settled.count(there.length);
  assert.deepEqual((await second!.arrivals.count(there.length)).map(idOf), messages.slice(0, there.length));
  assert.deepEqual((await first!.arrivals.count(2 * here.length)).map(idOf), [
    ...messages.slice(there.length),
    ...presence,
  ]);
  await first?.stop();
  const later = send('message', here[0] ?? '', 'later');
  await settled.count(messages.length + presence.length + 1);
  for (const id of messages.slice(0, there.length)) assert.equal(fates.get(id), undefined);
  for (const id of messages.slice(there.length))
    assert.equal(fates.get(id), 'unknown', 'it may have arrived');
  assert.deepEqual(
    second!.arrivals.all.slice(there.length).map(idOf),
    [...presence, later],
    'in the order in which they were sent',
  );
});

test('what is held does not keep others from being settled; it is when the proxy says so, or nobody knows when the link ends', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com', { hold: true });
  const gateway = await startGateway(t, [edge.target]);
  await gateway.ready.count(1);
  const settled = new Seen<string>();
  for (const id of ['1', '2', '3', '4'])
    gateway.links.send(outward(id), THEIRS, (failed) => settled.add(`${id} ${failed}`));
  const [first, second, third, fourth] = await edge.arrivals.count(4);
  first?.hold();
  second?.hold();
  third?.done();
  assert.deepEqual(await settled.count(1), ['3 undefined']);
  first?.done();
  assert.deepEqual((await settled.count(2)).slice(1), ['1 undefined']);
  fourth?.hold();
  edge.links.leave();
  assert.deepEqual((await settled.count(4)).slice(2), ['2 unknown', '4 unknown']);
  second?.done();
});

test('a message that a gateway had goes to no other one, whose memory is another; its sender is told when that one stays away', async (t) => {
  const names = ['fe1.example.com', 'fe2.example.com'];
  const edge = await startEdge(t, 'edge1.example.com', {
    gateways: names,
    router: { waitMs: 300, waiting: 10 },
  });
  const gateways: GatewayEnd[] = [];
  for (const name of names) gateways.push(await startGateway(t, [edge.target], { name, hold: true }));
  await edge.ready.count(2);
  const settled = new Seen<string>();
  const presence = { ...inward('presence'), name: 'presence' };
  for (const [number, stanza] of [inward('message'), presence].entries())
    edge.links.send(stanza, origin(number), (failed) => settled.add(`${number} ${failed}`));
  const [had, other] = poolOrder(`romeo@${OURS}`, names).map((name) => gateways[names.indexOf(name)]!);
  await had!.arrivals.count(2);
  had?.links.close();
  const [arrived] = await other!.arrivals.count(1);
  arrived?.done();
  assert.deepEqual([...(await settled.count(2))].sort(), ['0 unknown', '1 undefined']);
  assert.deepEqual(other!.arrivals.all.map(idOf), ['presence']);
});

test('an edge that drains is sent nothing more, and what it has is still acknowledged', async (t) => {
  const edges = [await startEdge(t, EDGES[0], { hold: true }), await startEdge(t, EDGES[1])];
  const gateway = await startGateway(
    t,
    edges.map(({ target }) => target),
  );
  await gateway.ready.count(2);
  const domain = DOMAINS.find((name) => poolOrder(name, EDGES)[0] === EDGES[0]) ?? '';
  const settled = new Seen<LinkFailure | undefined>();
  gateway.links.send(outward('1', domain), domain, (failed) => settled.add(failed));
  const [held] = await edges[0]!.arrivals.count(1);
  edges[0]?.links.drain();
  edges[0]?.links.send(inward('mark'), origin(1), () => {});
  await gateway.arrivals.count(1);
  gateway.links.send(outward('2', domain), domain, (failed) => settled.add(failed));
  await edges[1]?.arrivals.count(1);
  held?.done();
  assert.deepEqual(await settled.count(2), [undefined, undefined]);
});

test('nothing waits for ever, and no more waits than may', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com', { router: { waitMs: 50, waiting: 2 } });
  const settled = new Seen<LinkFailure | undefined>();
  for (const number of [1, 2, 3])
    edge.links.send(inward(`${number}`), origin(number), (failed) => settled.add(failed));
  assert.deepEqual(await settled.count(3), ['queue-full', 'no-link', 'no-link']);
});

test('no more is under way than the sender may hold unacknowledged', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com', { link: { ...linkLimits, unacknowledged: 4 } });
  const gateway = await startGateway(t, [edge.target], { hold: true });
  await gateway.ready.count(1);
  for (let number = 1; number <= 20; number++) edge.links.send(inward(`${number}`), origin(number), () => {});
  await gateway.arrivals.count(4);
  gateway.links.send(outward('mark'), THEIRS, () => {});
  await edge.arrivals.count(1);
  assert.equal(gateway.arrivals.all.length, 4);
  for (let number = 0; number < 20; number++) (await gateway.arrivals.count(number + 1))[number]?.done();
});

test('a receiver whose window is full reads no further until something is safe', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const gateway = await startGateway(t, [edge.target], { hold: true, link: { ...linkLimits, window: 10 } });
  await gateway.ready.count(1);
  const body = 'x'.repeat(30_000);
  for (let number = 1; number <= 200; number++) {
    const more = element(NS.server, 'subject', {}, [body]);
    const stanza = inward(`${number}`);
    edge.links.send({ ...stanza, children: [...stanza.children, more] }, origin(number), () => {});
  }
  await gateway.arrivals.count(10);
  // One read may hold a few more than the window: with these sizes two or three.
  assert.ok(gateway.arrivals.all.length < 20);
  for (let number = 0; number < 200; number++) (await gateway.arrivals.count(number + 1))[number]?.done();
});

test('a certificate with another name is no gateway, and no edge', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const stranger = await startGateway(t, [edge.target], { name: 'other.example.com' });
  assert.equal((await stranger.ends.count(1))[0]?.reason, 'peer-closed');
  assert.equal(edge.links.size, 0);
  const misled = await startGateway(t, [{ ...edge.target, name: 'edge2.example.com' }]);
  const [notice] = await misled.ends.count(1);
  assert.equal(notice?.reason, 'not-connected');
  assert.match(notice?.detail ?? '', /^SLP-NET-0014 .*expected edge2\.example\.com/);
});

test('an edge that left the list is left, and one that came is dialled', async (t) => {
  const edges = [await startEdge(t, EDGES[0]), await startEdge(t, EDGES[1])];
  const gateway = await startGateway(t, [edges[0]!.target]);
  await edges[0]?.ready.count(1);
  const settings = gateway.links.settings;
  gateway.links.configure({ ...settings, edges: [edges[1]!.target] });
  await edges[1]?.ready.count(1);
  assert.equal((await edges[0]!.ends.count(1))[0]?.reason, 'closed');
});
