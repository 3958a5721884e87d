import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { EdgeArrival } from '#platform/xmpp-link';
import type { XmlElement } from '#protocols/xml';
import { startMoodyNameServer } from '../../platform/dns/testing/moody-name-server.ts';
import { OTHERS, OURS, ProxyBench, partner, THEIRS } from './testing/bench.ts';
import {
  bodyOf,
  chat,
  conditionOf,
  opened,
  PartnerServer,
  raw,
  stanza,
  TestGateway,
  until,
  xmlOf,
} from './testing/ends.ts';

const toJuliet = (body: string) => chat(body, `romeo@${OURS}/phone`, `juliet@${THEIRS}`);
const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number));

test('the proxy is killed with stanzas in flight: nothing that was acknowledged is lost, nothing comes twice, and of the rest the senders are told', async (t) => {
  const bench = await ProxyBench.start(t);
  const server = await PartnerServer.start(t, bench);
  const gateway = await TestGateway.start(t, bench, { hold: true });
  await gateway.ready.count(1);
  const fates = new Map<string, string>();
  const sent = numbers(100).map(async (body) => {
    fates.set(body, (await server.send(chat(body))) ?? 'acknowledged');
  });
  const before = await gateway.arrivals.count(100);
  for (const arrival of before.slice(0, 40)) arrival.done();
  while (fates.size < 40) await new Promise((resolve) => setTimeout(resolve, 5));
  await bench.killAndRestart();
  await Promise.all(sent);
  const expected = numbers(100).map((body) => [
    body,
    Number(body) < 40 ? 'acknowledged' : 'delivery-unknown',
  ]);
  assert.deepEqual([...fates], expected);
  await gateway.ready.count(2);
  assert.equal(await sendAndTake(server, gateway, 'afterwards'), undefined);
  assert.deepEqual(idsOf(gateway.arrivals.all), [...numbers(100), 'afterwards']);
});

/** One more stanza of the partner, and the gateway is done with all; gives what the sender is told. */
async function sendAndTake(server: PartnerServer, gateway: TestGateway, body: string) {
  const sent = server.send(chat(body));
  const before = gateway.arrivals.all.length;
  for (const arrival of await gateway.arrivals.count(before + 1)) arrival.done();
  return sent;
}

test('a partner’s stream is cut between acknowledgements: nothing comes again, and senders hear of what was not acknowledged (XEP-0198)', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench, { hold: true });
  await gateway.ready.count(1);
  const server = await PartnerServer.start(t, bench);
  const sent = numbers(50).map((body) => server.send(chat(body)));
  for (const arrival of (await gateway.arrivals.count(50)).slice(0, 20)) arrival.done();
  await Promise.all(sent.slice(0, 20));
  bench.cutStreams();
  const fates = await Promise.all(sent);
  assert.deepEqual(fates, [...Array(20).fill(undefined), ...Array(30).fill('delivery-unknown')]);
  assert.equal(await sendAndTake(server, gateway, 'afterwards'), undefined);
  assert.deepEqual(idsOf(gateway.arrivals.all), [...numbers(50), 'afterwards']);
});

test('a stream to a partner is cut between acknowledgements: messages are not sent again, and their senders hear that nobody knows; presence is (XEP-0198)', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const server = await PartnerServer.start(t, bench, { hold: true });
  const sent = numbers(50).map((body) => gateway.send(toJuliet(body)));
  sent.push(gateway.send(presenceOf('presence')));
  for (const arrival of (await server.arrivals.count(51)).slice(0, 20)) arrival.done();
  await Promise.all(sent.slice(0, 20));
  server.cut();
  (await server.arrivals.count(52))[51]?.done();
  assert.deepEqual(await Promise.all(sent), Array(51).fill(undefined));
  assert.deepEqual(idsOf(server.arrivals.all), [...numbers(50), 'presence', 'presence']);
  const told = await gateway.arrivals.count(30);
  assert.deepEqual(idsOf(told), numbers(50).slice(20));
  for (const { stanza: error, origin } of told) {
    assert.equal(conditionOf(error), 'remote-server-timeout');
    assert.deepEqual([origin.undelivered, origin.fate], ['message', 'unknown']);
  }
});

test('a partner without acknowledgements reads no more and leaves: what had not left us was not accepted, and its senders hear that nobody knows', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const socket = await opened(t, bench, THEIRS, `<bidi xmlns='urn:xmpp:bidi'/>`);
  socket.write(xmlOf(chat('what we say goes back on this stream')));
  await gateway.arrivals.count(1);
  socket.pause();
  const long = 'x'.repeat(60_000);
  const accepted = new Set<string>();
  const all = numbers(300).map(async (id) => {
    const { attributes, ...rest } = toJuliet(long);
    await gateway.send({ ...rest, attributes: new Map(attributes).set('id', id) });
    accepted.add(id);
  });
  while (accepted.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const before = new Set(accepted);
  assert.ok(before.size < 300, 'more than the network takes');
  socket.destroy();
  await Promise.all(all);
  const told = gateway.arrivals.all.slice(1);
  const ids = idsOf(told);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(told.some(({ origin }) => origin.fate === 'unknown'));
  for (const id of ids) assert.ok(!before.has(id), `${id} was accepted, and then it was not`);
});

test('the proxy is killed while a partner without acknowledgements sends: at most what was in flight is lost', async (t) => {
  const window = 4;
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.limits.stanzasInFlight = window;
  });
  const gateway = await TestGateway.start(t, bench, { hold: true });
  await gateway.ready.count(1);
  const socket = await opened(t, bench);
  const size = xmlOf(chat('0000')).length;
  const sent = 4000;
  for (let number = 0; number < sent; number++) socket.write(xmlOf(chat(String(number).padStart(4, '0'))));
  await gateway.arrivals.count(window);
  await bench.killAndRestart();
  // The window, and what one read held beyond it; the rest has not left the partner's system, or never left its own queue.
  const most = window + Math.ceil(65_536 / size);
  const ids = idsOf(gateway.arrivals.all);
  assert.ok(ids.length <= most, `${ids.length} of ${most}`);
  assert.equal(new Set(ids).size, ids.length, 'and nothing comes twice');
});

test('a link breaks with stanzas in flight: they come again with the same origin, which tells that they are the same', async (t) => {
  const bench = await ProxyBench.start(t);
  const server = await PartnerServer.start(t, bench);
  const first = await TestGateway.start(t, bench, { hold: true });
  await first.ready.count(1);
  const sent = numbers(20).map((body) => server.send(chat(body)));
  const before = await first.arrivals.count(20);
  first.links.close();
  const second = await TestGateway.start(t, bench);
  const after = await second.arrivals.count(20);
  const origins = (arrivals: readonly EdgeArrival[]) =>
    arrivals.map(({ origin: { stream, number } }) => `${stream} ${number}`);
  assert.deepEqual(origins(after), origins(before));
  assert.deepEqual(await Promise.all(sent), Array(20).fill(undefined));
});

test('a partner goes away and comes back: senders are told, and then it works again', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  const before = await PartnerServer.start(t, bench);
  await gateway.send(toJuliet('before'));
  await before.arrivals.count(1);
  await before.stop();
  await gateway.send(toJuliet('away'));
  assert.match(conditionOf((await gateway.arrivals.count(1))[0]!.stanza) ?? '', /^remote-server-/);
  const back = await PartnerServer.start(t, bench);
  for (let attempt = 1; back.arrivals.all.length === 0; attempt++) {
    await gateway.send(toJuliet(`back ${attempt}`));
    await new Promise((resolve) => setTimeout(resolve, 200)); // that it was not reached is remembered for some seconds
  }
  assert.match(bodyOf(back.arrivals.all[0]!.stanza) ?? '', /^back/);
});

test('DNS fails: senders are told, links stay, and with DNS it works again', async (t) => {
  const bench = await ProxyBench.start(t);
  const server = await PartnerServer.start(t, bench);
  const { resolvers } = bench.document.host;
  bench.document.host.resolvers = ['127.77.0.9'];
  await bench.commit();
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  await gateway.send(toJuliet('in vain'));
  assert.equal(conditionOf((await gateway.arrivals.count(1))[0]!.stanza), 'remote-server-not-found');
  assert.deepEqual(gateway.ends.all, []);
  bench.document.host.resolvers = resolvers;
  await bench.commit();
  await gateway.ready.count(2);
  await gateway.send(toJuliet('again'));
  await server.arrivals.count(1);
});

/** Presence of one of ours, told by its `id` as messages are by their body. */
const presenceOf = (id: string) =>
  stanza('presence', { from: `romeo@${OURS}/phone`, to: `juliet@${THEIRS}`, id });
const idsOf = (arrivals: readonly { readonly stanza: XmlElement }[]) =>
  arrivals.map((arrival) => arrival.stanza.attributes.get('id') ?? '');

/** Moves the clock second by second, so that what each brings about is done, until the gateway has heard so much. */
async function passTime(bench: ProxyBench, gateway: TestGateway, heard: number): Promise<void> {
  for (let passed = 0; gateway.arrivals.all.length < heard; passed += 1000) {
    assert.ok(passed < 600_000, `${gateway.arrivals.all.length} of ${heard} came`);
    bench.clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sends until something arrives; gives what was sent, of which all but the last was in vain. */
async function sendUntilBack(
  bench: ProxyBench,
  gateway: TestGateway,
  back: PartnerServer,
): Promise<string[]> {
  const sent: string[] = [];
  const errors = gateway.arrivals.all.length;
  while (back.arrivals.all.length === 0) {
    sent.push(`back ${sent.length}`);
    await gateway.send(toJuliet(sent.at(-1) ?? ''));
    while (back.arrivals.all.length === 0 && gateway.arrivals.all.length < errors + sent.length) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    bench.clock.advance(6000); // so long it is remembered that nobody was reached
  }
  return sent;
}

test('a partner is away for a minute: the sender of each message hears of it, nothing comes twice, and presence passes again', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const before = await PartnerServer.start(t, bench);
  for (const body of ['first', 'second']) await gateway.send(toJuliet(body));
  await before.arrivals.count(2);
  await before.stop();
  const away: string[] = [];
  for (let seconds = 0; seconds < 60; seconds += 10) {
    for (const one of [toJuliet(`message ${seconds}`), presenceOf(`presence ${seconds}`)]) {
      away.push(one.attributes.get('id') ?? '');
      await gateway.send(one);
      await passTime(bench, gateway, away.length);
    }
    bench.clock.advance(10_000);
  }
  assert.deepEqual(idsOf(gateway.arrivals.all), away, 'an error for each, once');
  for (const { stanza: told, origin } of gateway.arrivals.all) {
    assert.match(conditionOf(told) ?? '', /^remote-server-/);
    assert.equal(origin.undelivered, told.name === 'message' ? 'message' : 'available');
  }
  const told = [`${THEIRS} broken`];
  assert.deepEqual(gateway.partners.all, told, 'its server left in a hurry');
  const back = await PartnerServer.start(t, bench);
  const sent = await sendUntilBack(bench, gateway, back);
  await gateway.send(presenceOf('presence again'));
  await back.arrivals.count(2);
  assert.deepEqual(gateway.partners.all, [...told, `${THEIRS} open`], 'presence is worth an attempt again');
  assert.equal(await back.send(chat('hello again')), undefined);
  await gateway.arrivals.count(away.length + sent.length);
  assert.deepEqual(idsOf(before.arrivals.all), ['first', 'second']);
  assert.deepEqual(idsOf(back.arrivals.all), [sent.at(-1), 'presence again']);
  assert.deepEqual(idsOf(gateway.arrivals.all), [...away, ...sent.slice(0, -1), 'hello again']);
});

test('a stream of a partner that breaks off is told to the gateway, one that ends in order is not, nor is one of a stranger', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  (await opened(t, bench)).end('</stream:stream>');
  (await raw(t)).destroy();
  const breaks = await opened(t, bench);
  breaks.write(xmlOf(chat('the last word')));
  await gateway.arrivals.count(1);
  breaks.destroy();
  assert.deepEqual(await gateway.partners.count(1), [`${THEIRS} broken`]);
});

test('the name server is silent, and then answers: senders are told after its time, nothing comes twice, presence passes again', async (t) => {
  const place = '127.77.0.9';
  const bench = await ProxyBench.start(t, ({ host }) => {
    host.resolvers = [place];
  });
  const names = await startMoodyNameServer(t, place, bench.nameServer);
  names.silent = true;
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const back = await PartnerServer.start(t, bench);
  let settled = false;
  const first = gateway.send(toJuliet('in vain')).then((failed) => {
    settled = true;
    return failed;
  });
  await gateway.send(presenceOf('acknowledged behind it'));
  assert.equal(settled, false, 'that it waits is said before it is acknowledged');
  await passTime(bench, gateway, 2);
  assert.equal(await first, undefined);
  await gateway.send(presenceOf('unseen'));
  const second = gateway.send(toJuliet('in vain, too'));
  await passTime(bench, gateway, 4);
  assert.equal(await second, undefined);
  const vain = ['in vain', 'acknowledged behind it', 'unseen', 'in vain, too'];
  assert.deepEqual(idsOf(gateway.arrivals.all), vain);
  assert.deepEqual(gateway.ends.all, []);
  names.silent = false;
  const sent = await sendUntilBack(bench, gateway, back);
  await gateway.send(presenceOf('seen'));
  await back.arrivals.count(2);
  assert.deepEqual(idsOf(back.arrivals.all), [sent.at(-1), 'seen']);
  assert.deepEqual(idsOf(gateway.arrivals.all), [...vain, ...sent.slice(0, -1)]);
});

test('X5: a partner whose certificate is revoked proves nothing by it, in either direction; its neighbour does', async (t) => {
  const place = '127.0.3.80';
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS));
    policy.revocation.shortLivedDays = 10;
    policy.revocation.allowedNetworks = [`${place}/32`];
  });
  bench.ring.demand({ providers: { Tls: { level: 'info', bodies: false } } });
  const revoked: string[] = [];
  const lists = createServer((_, response) => {
    void bench.authority.revocationList(revoked).then((list) => response.end(list));
  }).listen(80, place);
  await once(lists, 'listening');
  t.after(() => lists.close());
  const issue = bench.issue.bind(bench);
  const bad = await issue(THEIRS, { lists: [`http://${place}/ca.crl`] });
  revoked.push(new X509Certificate(bad.certificatePem).serialNumber);
  bench.issue = async (domain, change) => {
    return domain === THEIRS ? bad : issue(domain, { ...change, lists: [`http://${place}/ca.crl`] });
  };
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  await PartnerServer.start(t, bench);
  await gateway.send(toJuliet('never'));
  assert.equal(conditionOf((await gateway.arrivals.count(1))[0]!.stanza), 'remote-server-timeout');
  const refused = await bench.event('xmpp-stream-refused', ({ direction }) => direction === 'out');
  assert.match(String(refused.detail), /SLP-PKI-0001 .*revoked/);
  const socket = await opened(t, bench);
  assert.equal(socket.destroyed, false);
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`);
  assert.match(await until(socket), /<not-authorized/);
  const neighbour = await PartnerServer.start(t, bench, { domain: OTHERS });
  assert.equal(await neighbour.send(chat('good', `x@${OTHERS}`)), undefined);
  await gateway.arrivals.count(2);
  const told = bench.events.filter(({ provider }) => provider === 'Tls');
  const shown = (direction: string, domain: string) =>
    told.find(
      (event) => event.direction === direction && `${event.fields.names}`.split(' ').includes(domain),
    );
  assert.equal(shown('in', OTHERS)?.fields.problem, undefined);
  assert.deepEqual(shown('in', OTHERS)?.keys?.domain, [OTHERS]);
  assert.ok(told.some(({ direction, fields }) => direction === 'out' && /revoked/.test(`${fields.problem}`)));
  assert.ok(
    told.some(({ component }) => component === 'tls-acceptor'),
    'the link of the gateway',
  );
});
