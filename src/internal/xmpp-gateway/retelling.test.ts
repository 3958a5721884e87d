import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PIDF_TYPE } from '#protocols/presence';
import type { SipRequest } from '#protocols/sip';
import { type DevicePresence, readPresenceDocument, writePresenceDocument } from '#protocols/sip-xmpp';
import { BALCONY, JULIET, ROMEO, Stage } from './testing/stage.ts';

/*
 * Presence while a partner cannot be reached. The proxy returns what it could not deliver; the stage does so a second
 * later at most.
 */

const CONTACT = ['Contact', '<sip:fe@10.0.0.1;transport=tls>'] as const;
const EVENT = [['Event', 'presence']] as const;
const presence = (type: string, from = JULIET) => `<presence from='${from}' to='${ROMEO}' type='${type}'/>`;
const device = (show: DevicePresence['show'], resource = 'orchard'): DevicePresence => ({
  resource,
  available: true,
  ...(show === undefined ? {} : { show }),
});

/** A subscription of Juliet's at the front end. */
class Watched {
  readonly #stage: Stage;
  readonly #subscribe: SipRequest;
  #cseq = 0;

  constructor(stage: Stage, seconds = 3600, from = JULIET) {
    this.#stage = stage;
    stage.arrives(presence('subscribe', from));
    this.#subscribe = stage.gets('SUBSCRIBE');
    stage.answers(this.#subscribe, 200, [CONTACT, ['Expires', String(seconds)]]);
    this.says([device('away')], `active;expires=${seconds}`);
  }
  /** The front end tells what Romeo's devices are. */
  says(devices: readonly DevicePresence[], state = 'active;expires=3000'): void {
    this.#cseq += 1;
    this.#stage.asks('NOTIFY', {
      callId: this.#subscribe.callId,
      fromTag: 'peer',
      toTag: this.#subscribe.from.tag ?? '',
      cseq: this.#cseq,
      headers: [...EVENT, ['Subscription-State', state], ['Content-Type', PIDF_TYPE]],
      body: writePresenceDocument(`sip:${ROMEO}`, devices),
    });
    this.#stage.getsResponse(200);
  }
}

/** Romeo subscribes to Juliet's presence. */
function subscribes(stage: Stage, to = JULIET): void {
  stage.asks('SUBSCRIBE', { to: `sip:${to}`, headers: [...EVENT, ['Expires', '3600']] });
  stage.getsResponse(200);
}
function notified(stage: Stage): string {
  const request = stage.gets('NOTIFY');
  stage.answers(request, 200);
  const devices = readPresenceDocument(request.body) ?? [];
  const state = (request.header('Subscription-State') ?? '').split(';')[0];
  return [state, ...devices.map(({ available, show }) => (available ? (show ?? 'open') : 'closed'))].join(
    ' ',
  );
}
/** Seconds until something is said, which is given. */
function waitsFor(stage: Stage, most: number): { readonly seconds: number; readonly said: string[] } {
  for (let seconds = 1; seconds <= most; seconds++) {
    stage.wait(1000);
    const said = stage.said();
    if (said.length > 0) return { seconds, said };
  }
  return { seconds: most, said: [] };
}

test('a partner is away for a minute: of all changes it hears the last, once, when it is back', () => {
  const stage = new Stage();
  const romeo = new Watched(stage);
  stage.said();
  stage.away = true;
  romeo.says([device('dnd')]);
  assert.equal(stage.said().length, 1);
  stage.comesBack();
  let attempts = 0;
  for (const show of ['xa', 'away', 'chat', 'dnd', 'xa', 'away'] as const) {
    romeo.says([device(show)]);
    stage.wait(10_000);
    attempts += stage.said().length;
  }
  assert.ok(attempts >= 1 && attempts <= 4, `${attempts} attempts in a minute`);
  stage.away = false;
  stage.gateway.handlePartner('xmpp.example', 'open');
  stage.wait(1000);
  assert.deepEqual(stage.said(), [
    `<presence from="${ROMEO}/orchard" to="${JULIET}"><show>away</show></presence>`,
  ]);
  stage.wait(200_000);
  stage.isQuiet();
});

test('without a word of the proxy an attempt shows it, after pauses that grow to two minutes', () => {
  const stage = new Stage();
  const romeo = new Watched(stage);
  stage.said();
  stage.away = true;
  romeo.says([device('dnd')]);
  stage.said();
  stage.comesBack();
  const pauses = Array.from({ length: 7 }, () => waitsFor(stage, 200).seconds);
  for (const [index, pause] of pauses.entries()) {
    const full = Math.min(120, 8 * 2 ** index);
    assert.ok(pause >= full * 0.75 && pause <= full * 1.25 + 2, `${pauses}`);
  }
  stage.away = false;
  const { said } = waitsFor(stage, 200);
  assert.deepEqual(said, [`<presence from="${ROMEO}/orchard" to="${JULIET}"><show>dnd</show></presence>`]);
  romeo.says([device('xa')]);
  assert.deepEqual(stage.said(), [], 'nobody knows yet that it arrived');
  stage.wait(31_000);
  assert.match(stage.said().join(), /<show>xa</);
});

test('a sign of life brings the next attempt forward, and no closer than five seconds', () => {
  const stage = new Stage();
  const romeo = new Watched(stage);
  stage.away = true;
  romeo.says([device('dnd')]);
  stage.comesBack();
  stage.wait(60_000);
  stage.said();
  const before = stage.gateway.retelling.size;
  assert.equal(before, 1);
  for (let second = 0; second < 20; second++) {
    stage.arrives(presence('subscribed'));
    stage.wait(1000);
  }
  const attempts = stage.said().length;
  assert.ok(attempts >= 2 && attempts <= 4, `${attempts} attempts in 20 seconds`);
});

test('a device that left meanwhile is gone for the partner, one that it was told of last is still there', () => {
  const stage = new Stage();
  const romeo = new Watched(stage);
  stage.said();
  stage.away = true;
  romeo.says([device('dnd', 'tomb')]);
  stage.comesBack();
  romeo.says([]);
  stage.said();
  const restarted = new Stage({}, stage);
  assert.deepEqual([...(restarted.store.watches()[0]?.shown ?? [])].sort(), ['orchard', 'tomb']);
  stage.away = false;
  stage.gateway.handlePartner('xmpp.example', 'open');
  stage.wait(1000);
  assert.deepEqual(stage.said().sort(), [
    `<presence from="${ROMEO}/orchard" to="${JULIET}" type="unavailable"/>`,
    `<presence from="${ROMEO}/tomb" to="${JULIET}" type="unavailable"/>`,
  ]);
});

test('an approval that did not arrive is said again, before the presence', () => {
  const stage = new Stage();
  stage.away = true;
  new Watched(stage);
  stage.comesBack();
  stage.said();
  stage.away = false;
  stage.gateway.handlePartner('xmpp.example', 'open');
  stage.wait(1000);
  assert.deepEqual(stage.said(), [
    `<presence from="${ROMEO}" to="${JULIET}" type="subscribed"/>`,
    `<presence from="${ROMEO}/orchard" to="${JULIET}"><show>away</show></presence>`,
  ]);
});

test('a refusal that did not arrive is said again, also after a restart, unless she has asked anew', () => {
  for (const restarts of [false, true]) {
    const stage = new Stage();
    new Watched(stage).says([], 'active;expires=3000');
    stage.away = true;
    stage.arrives(presence('unsubscribe'));
    stage.answers(stage.gets('SUBSCRIBE'), 200);
    stage.comesBack();
    stage.said();
    stage.away = false;
    const then = restarts ? new Stage({}, stage) : stage;
    if (restarts) then.wait(3000);
    then.gateway.handlePartner('xmpp.example', 'open');
    then.wait(1000);
    assert.deepEqual(then.said(), [`<presence from="${ROMEO}" to="${JULIET}" type="unsubscribed"/>`]);
    assert.deepEqual(then.store.refusals(), []);
  }
  const anew = new Stage();
  new Watched(anew);
  anew.away = true;
  anew.arrives(presence('unsubscribe'));
  anew.answers(anew.gets('SUBSCRIBE'), 200);
  anew.comesBack();
  anew.arrives(presence('subscribe'));
  assert.deepEqual(anew.store.refusals(), []);
});

test('a question that did not arrive leaves the subscription pending, and is asked again', () => {
  const stage = new Stage();
  stage.away = true;
  subscribes(stage);
  assert.equal(notified(stage), 'pending');
  stage.comesBack('remote-server-not-found');
  stage.said();
  assert.equal(stage.gateway.watchers.size, 1);
  stage.away = false;
  assert.deepEqual(waitsFor(stage, 20).said, [`<presence from="${ROMEO}" to="${JULIET}" type="subscribe"/>`]);
  stage.arrives(presence('subscribed'));
  assert.equal(notified(stage), 'active');
});

test('a proxy that does not know the partner refuses for good, and so does the contact itself', () => {
  const stage = new Stage();
  stage.away = true;
  subscribes(stage);
  notified(stage);
  stage.comesBack('not-allowed');
  assert.equal(notified(stage), 'terminated');
  assert.equal(stage.gateway.retelling.size, 0);
  const own = new Stage();
  subscribes(own);
  notified(own);
  own.arrives(
    `<presence from='${JULIET}' to='${ROMEO}' type='error'><error type='cancel'>` +
      `<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`,
  );
  assert.equal(notified(own), 'terminated');
});

test('a stream that broke: what was said is said again and what was missed is asked for, once a minute at most', () => {
  const stage = new Stage();
  new Watched(stage);
  subscribes(stage);
  notified(stage);
  stage.arrives(presence('subscribed'));
  notified(stage);
  stage.arrives(`<presence from='${BALCONY}' to='${ROMEO}'/>`);
  notified(stage);
  stage.said();
  stage.gateway.handlePartner('xmpp.example', 'broken');
  stage.gateway.handlePartner('other.example', 'broken');
  stage.wait(3000);
  const again = [
    `<presence from="${ROMEO}" to="${JULIET}" type="probe"/>`,
    `<presence from="${ROMEO}/orchard" to="${JULIET}"><show>away</show></presence>`,
  ];
  assert.deepEqual(stage.said(), again);
  for (let second = 0; second < 50; second++) {
    stage.gateway.handlePartner('xmpp.example', 'broken');
    stage.wait(1000);
  }
  assert.deepEqual(stage.said(), []);
  stage.wait(15_000);
  assert.deepEqual(stage.said(), again);
});

test('a question that comes back shows the other as not there, until an answer comes', () => {
  const stage = new Stage();
  subscribes(stage);
  notified(stage);
  stage.arrives(presence('subscribed'));
  notified(stage);
  stage.arrives(`<presence from='${BALCONY}' to='${ROMEO}'><show>dnd</show></presence>`);
  assert.equal(notified(stage), 'active dnd');
  stage.away = true;
  stage.gateway.handlePartner('xmpp.example', 'broken');
  stage.wait(4000);
  assert.equal(notified(stage), 'active closed');
  stage.wait(60_000);
  stage.said();
  assert.deepEqual(stage.sip.take(), [], 'said once, however often it is tried');
  stage.away = false;
  stage.gateway.handlePartner('xmpp.example', 'open');
  stage.wait(1000);
  assert.match(stage.said().join(), /type="probe"/);
  stage.arrives(`<presence from='${BALCONY}' to='${ROMEO}'><show>xa</show></presence>`);
  assert.equal(notified(stage), 'active xa');
});

test('a renewal does not take an unreachable partner for one who has left', () => {
  const stage = new Stage();
  new Watched(stage, 600);
  stage.said();
  stage.away = true;
  for (let second = 0; second < 600 && stage.said().length === 0; second++) stage.wait(1000);
  stage.wait(1000);
  const renewal = stage.gets('SUBSCRIBE');
  assert.equal(renewal.header('Expires'), '28800');
  assert.equal(stage.gateway.watches.all()[0]?.state, 'active');
});

test('what no edge took over is said again when a link is open', () => {
  const stage = new Stage();
  const romeo = new Watched(stage);
  stage.said();
  stage.failure = { condition: 'remote-server-timeout', reason: 'No Edge Reachable' };
  romeo.says([device('dnd')]);
  stage.said();
  stage.failure = undefined;
  stage.wait(1000);
  stage.gateway.handleLink();
  const { seconds, said } = waitsFor(stage, 20);
  assert.ok(seconds <= 7, `${seconds} s`);
  assert.match(said.join(), /<show>dnd</);
});

test('a thousand watchers of one partner are told at fifty a second, of another one at the same time', () => {
  const stage = new Stage({ subscriptions: 2000, subscriptionsPerUser: 2000 });
  const all = [...Array(1000).keys()].map((one) => new Watched(stage, 3600, `juliet${one}@xmpp.example`));
  const other = new Watched(stage, 3600, 'rosaline@other.example');
  stage.wait(60_000);
  stage.said();
  for (const one of all) one.says([device('dnd')]);
  other.says([device('dnd')]);
  const first = stage.said();
  assert.equal(first.length, 201, 'what may come at once');
  assert.match(first.at(-1) ?? '', /rosaline/);
  for (let second = 0; second < 10; second++) {
    stage.wait(1000);
    assert.ok(stage.said().length <= 51);
  }
  stage.wait(10_000);
  assert.equal(stage.gateway.retelling.size, 0);
});
