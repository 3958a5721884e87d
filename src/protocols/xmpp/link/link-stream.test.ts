import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element } from '#protocols/xml';
import { fitsLink, LinkStream, NS, originOf, poolOrder, withOrigin, withoutOrigin } from '../index.ts';
import type { StreamAction } from '../stream/actions.ts';
import { linkLimits } from '../stream/limits.ts';
import { ended, message, OURS, sent, settings, THEIRS, types } from '../testing/stage.ts';

const GATEWAY = 'fe1.example';
const PROXY = 'edge1.example';

function link(role: 'gateway' | 'proxy', peer?: string): LinkStream {
  const own = role === 'gateway' ? GATEWAY : PROXY;
  return new LinkStream(
    {
      role,
      own,
      peers: [peer ?? (role === 'gateway' ? PROXY : GATEWAY)],
      streamId: 'link-1',
      times: settings.times,
      limits: linkLimits,
      unacknowledged: 16,
      accepts: (from, to) =>
        role === 'proxy' ? from === OURS && to === THEIRS : from === THEIRS && to === OURS,
    },
    0,
  );
}

function join(gateway = link('gateway'), proxy = link('proxy')) {
  const log: StreamAction[] = [];
  const deliver = (to: LinkStream, actions: readonly StreamAction[]): void => {
    log.push(...actions);
    const other = to === gateway ? proxy : gateway;
    for (const action of actions) {
      if (action.type === 'send') deliver(other, to.handleBytes(Buffer.from(action.text), 0));
    }
  };
  deliver(proxy, gateway.start(0));
  return { gateway, proxy, log, deliver };
}

test('the gateway opens, both enable acknowledgements, and stanzas go both ways', () => {
  const { gateway, proxy } = join();
  assert.equal(gateway.ready && proxy.ready, true);
  const inward = gateway.handleBytes(Buffer.from(message()), 0);
  assert.deepEqual(types(inward), ['stanza']);
  const outward = proxy.handleBytes(Buffer.from(message(`romeo@${OURS}`, `juliet@${THEIRS}`)), 0);
  assert.deepEqual(types(outward), ['stanza']);
});

test('a role speaks for its domains and for no others', () => {
  const { gateway, proxy } = join();
  assert.equal(
    ended(proxy.handleBytes(Buffer.from(message('a@evil.example', `b@${THEIRS}`)), 0)),
    'from-not-authorized',
  );
  assert.equal(
    ended(gateway.handleBytes(Buffer.from(message(`a@${OURS}`, `b@${THEIRS}`)), 0)),
    'from-not-authorized',
  );
});

test('names in the header are those of the certificates', () => {
  const { proxy, log } = join(link('gateway'), link('proxy', 'other.example'));
  assert.equal(proxy.ready, false);
  assert.equal(ended(log), 'improper-addressing');
});

test('nothing passes before acknowledgements are on', () => {
  const proxy = link('proxy');
  const header = sent(link('gateway').start(0));
  proxy.handleBytes(Buffer.from(header), 0);
  assert.equal(
    ended(proxy.handleBytes(Buffer.from(message(`romeo@${OURS}`, `juliet@${THEIRS}`)), 0)),
    'not-authorized',
  );
  const gateway = link('gateway');
  gateway.start(0);
  const features = `<stream:features/>`;
  const answer = sent(proxyHeader()) + features;
  assert.equal(ended(gateway.handleBytes(Buffer.from(answer), 0)), 'unexpected-element');
});

function proxyHeader(): StreamAction[] {
  const text = `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='${PROXY}' to='${GATEWAY}' version='1.0'>`;
  return [{ type: 'send', text }];
}

test('what became of streams with partners is told to the gateway alone; what it does not know it passes over', () => {
  const { gateway, proxy } = join();
  const told = gateway.handleBytes(Buffer.from(sent(proxy.tellPartner(THEIRS, 'broken', 0))), 0);
  assert.deepEqual(told, [{ type: 'partner-stream', domain: THEIRS, state: 'broken' }]);
  const says = (text: string) => Buffer.from(text.replace('/>', ` xmlns='${NS.link}'/>`));
  assert.deepEqual(gateway.handleBytes(says(`<weather tomorrow='fair'/>`), 0), []);
  assert.equal(
    ended(proxy.handleBytes(says(`<partner domain='x' stream='open'/>`), 0)),
    'unexpected-element',
  );
  assert.equal(
    ended(gateway.handleBytes(says(`<partner domain='x' stream='mended'/>`), 0)),
    'unexpected-element',
  );
});

test('a stanza that is held is acknowledged with the word that it is, and what became of it is said later', () => {
  const { gateway, proxy, deliver } = join();
  const stanza = element(NS.server, 'message', { from: `a@${OURS}`, to: `b@${THEIRS}` });
  for (let count = 0; count < 2; count++) deliver(proxy, gateway.send(stanza, 0));
  const told = (text: string) =>
    gateway.handleBytes(Buffer.from(text), 0).filter(({ type }) => type !== 'send');
  assert.deepEqual(
    told(sent(proxy.hold(1, 0))).map((action) =>
      action.type === 'acknowledged' ? action.stanzas.length : action,
    ),
    [{ type: 'held', number: 1 }, 1],
    'the word comes before the acknowledgement',
  );
  assert.deepEqual(told(sent(proxy.passed(1, 0))), [{ type: 'passed', number: 1 }]);
  const held = `<held xmlns='${NS.link}' number='many'/>`;
  assert.equal(ended(gateway.handleBytes(Buffer.from(held), 0)), 'unexpected-element');
});

test('an origin is read only where there is exactly one, and a whole one', () => {
  const stanza = element(NS.server, 'message', { from: `a@${THEIRS}`, to: `b@${OURS}` });
  const origin = { stream: 's', number: 3, partner: THEIRS, type: 'public-unverified' } as const;
  const marked = withOrigin(stanza, origin);
  assert.deepEqual(originOf(marked), origin);
  const returned = { ...origin, undelivered: 'probe' } as const;
  assert.deepEqual(originOf(withOrigin(stanza, returned)), returned);
  const uncertain = { ...origin, undelivered: 'message', fate: 'unknown' } as const;
  assert.deepEqual(originOf(withOrigin(stanza, uncertain)), uncertain);
  assert.deepEqual(withoutOrigin(marked), stanza);
  assert.equal(originOf(stanza), undefined);
  const [mark] = marked.children;
  assert.ok(mark !== undefined);
  assert.equal(originOf({ ...stanza, children: [mark, mark] }), undefined);
  for (const wrong of [
    { number: '-1' },
    { number: '1e3' },
    { type: 'friend' },
    { stream: '' },
    { partner: '' },
    { undelivered: 'letter' },
  ]) {
    const attributes = { stream: 's', number: '3', partner: THEIRS, type: 'federated', ...wrong };
    const broken = { ...stanza, children: [element(NS.link, 'origin', attributes)] };
    assert.equal(originOf(broken), undefined, JSON.stringify(wrong));
  }
});

test('X1: what fits the link is read there, and what would grow beyond it does not fit', () => {
  const ends = { from: `a@${THEIRS}`, to: `b@${OURS}` };
  const body = (text: string) =>
    element(NS.server, 'message', ends, [element(NS.server, 'body', {}, [text])]);
  const spelled = (count: number, length: number) => {
    const children = Array.from({ length: count }, () => element('n'.repeat(length), 'x'));
    return element(NS.server, 'message', ends, children);
  };
  const fits = [body('hello'), body("'".repeat(60_000)), spelled(900, 100)];
  const grows = [spelled(900, 20_000), spelled(1001, 1), body('x'.repeat(600_000))];
  assert.deepEqual(fits.map(fitsLink), [true, true, true]);
  assert.deepEqual(grows.map(fitsLink), [false, false, false]);
  for (const stanza of fits) {
    const { proxy, gateway } = join(link('gateway'), link('proxy'));
    const origin = { stream: 's', number: 1, partner: THEIRS, type: 'federated' } as const;
    const text = sent(proxy.send(withOrigin(stanza, origin), 0));
    assert.deepEqual(types(gateway.handleBytes(Buffer.from(text), 0)), ['stanza']);
  }
});

test('the order of a pool is the same for all, spreads keys, and moves only what a member served', () => {
  const members = ['edge1.example', 'edge2.example', 'edge3.example'];
  const keys = Array.from({ length: 300 }, (_, index) => `partner${index}.example`);
  for (const key of keys) {
    const order = poolOrder(key, members);
    assert.deepEqual(poolOrder(key, members.toReversed()), order);
    const [first, second] = order;
    assert.deepEqual(
      poolOrder(
        key,
        members.filter((name) => name !== first),
      )[0],
      second,
    );
  }
  for (const name of members) {
    const served = keys.filter((key) => poolOrder(key, members)[0] === name).length;
    assert.ok(served > 50 && served < 150, `${name} serves ${served}`);
  }
});

test('what the other side took over leaves the queue, the rest is given back', () => {
  const { gateway, proxy, deliver } = join();
  const stanza = gateway.handleBytes(Buffer.from(message()), 0).find((action) => action.type === 'stanza');
  assert.ok(stanza?.type === 'stanza');
  deliver(gateway, proxy.send(stanza.stanza, 0));
  deliver(proxy, gateway.handled(1, 0));
  deliver(proxy, gateway.handled(2, 0));
  assert.deepEqual(proxy.takeUnacknowledged(), []);
  proxy.send(stanza.stanza, 0);
  assert.equal(proxy.takeUnacknowledged().length, 1);
});
