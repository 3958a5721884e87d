import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PIDF_TYPE } from '#protocols/presence';
import type { SipRequest } from '#protocols/sip';
import { type DevicePresence, writePresenceDocument } from '#protocols/sip-xmpp';
import { BALCONY, JULIET, ROMEO, Stage } from './testing/stage.ts';

const CONTACT = ['Contact', '<sip:fe@10.0.0.1;transport=tls>'] as const;
const presence = (type: string, from = JULIET) => `<presence from='${from}' to='${ROMEO}' type='${type}'/>`;
const OPEN: DevicePresence = { resource: 'orchard', available: true, show: 'away' };

/** The front end grants a subscription for so long. */
function grants(stage: Stage, request: SipRequest, seconds = 3600): void {
  stage.answers(request, 200, [CONTACT, ['Expires', String(seconds)]]);
}

/** NOTIFY of the front end in the dialog of this SUBSCRIBE. */
function notifies(
  stage: Stage,
  subscribe: SipRequest,
  state: string,
  cseq: number,
  devices?: readonly DevicePresence[],
): void {
  const body = devices === undefined ? {} : { body: writePresenceDocument(`sip:${ROMEO}`, devices) };
  stage.asks('NOTIFY', {
    callId: subscribe.callId,
    fromTag: 'peer',
    toTag: subscribe.from.tag ?? '',
    cseq,
    headers: [
      ['Event', 'presence'],
      ['Subscription-State', state],
      ...(devices === undefined ? [] : [['Content-Type', PIDF_TYPE] as const]),
    ],
    ...body,
  });
}

/** Juliet watches Romeo, who has approved. */
function watching(stage: Stage, seconds = 3600): SipRequest {
  assert.equal(stage.arrives(presence('subscribe')).done(), true);
  const subscribe = stage.gets('SUBSCRIBE');
  grants(stage, subscribe, seconds);
  notifies(stage, subscribe, `active;expires=${seconds}`, 1, [OPEN]);
  stage.getsResponse(200);
  stage.said();
  return subscribe;
}

test('subscribe becomes SUBSCRIBE; pending is not told, active is subscribed and the state (RFC 8048 §5.2.1)', () => {
  const stage = new Stage();
  const arrival = stage.arrives(presence('subscribe'));
  assert.equal(arrival.done(), true);
  const subscribe = stage.gets('SUBSCRIBE');
  assert.deepEqual(
    ['Event', 'Accept', 'Expires'].map((name) => subscribe.header(name)),
    ['presence', 'application/pidf+xml', '28800'],
  );
  assert.deepEqual([subscribe.uri, subscribe.from.uri], [`sip:${ROMEO}`, `sip:${JULIET}`]);
  grants(stage, subscribe);
  notifies(stage, subscribe, 'pending;expires=3600', 1);
  stage.getsResponse(200);
  stage.isQuiet();
  notifies(stage, subscribe, 'active;expires=3600', 2, [OPEN]);
  stage.getsResponse(200);
  assert.deepEqual(stage.said(), [
    `<presence from="${ROMEO}" to="${JULIET}" type="subscribed"/>`,
    `<presence from="${ROMEO}/orchard" to="${JULIET}"><show>away</show></presence>`,
  ]);
  notifies(stage, subscribe, 'active;expires=3500', 3, [{ resource: 'orchard', available: false }]);
  assert.match(stage.said()[0] ?? '', /from="romeo@sip.example\/orchard".*type="unavailable"/);
});

test('a device that is no longer in the document is gone', () => {
  const stage = new Stage();
  const subscribe = watching(stage);
  notifies(stage, subscribe, 'active', 2, [{ resource: 'phone', available: true }]);
  assert.deepEqual(stage.said(), [
    `<presence from="${ROMEO}/phone" to="${JULIET}"/>`,
    `<presence from="${ROMEO}/orchard" to="${JULIET}" type="unavailable"/>`,
  ]);
});

test('a user who does not exist is an error, one who refuses is unsubscribed (RFC 8048 §5.2.1)', () => {
  for (const [status, expected] of [
    [404, /type="error".*<item-not-found /],
    [403, /type="unsubscribed"/],
    [489, /type="unsubscribed"/],
    [603, /type="unsubscribed"/],
  ] as const) {
    const stage = new Stage();
    stage.arrives(presence('subscribe'));
    stage.answers(stage.gets('SUBSCRIBE'), status);
    assert.match(stage.said().at(-1) ?? '', expected);
    assert.equal(stage.gateway.watches.size, 0);
  }
});

test('a shorter time that is refused is asked for as it must be; trouble that passes is tried again', () => {
  const stage = new Stage({ subscriptionSeconds: 60 });
  stage.arrives(presence('subscribe'));
  stage.answers(stage.gets('SUBSCRIBE'), 423, [['Min-Expires', '1800']]);
  const again = stage.gets('SUBSCRIBE');
  assert.equal(again.header('Expires'), '1800');
  stage.answers(again, 503);
  stage.isQuiet();
  stage.wait(11_000);
  stage.gets('SUBSCRIBE');
});

test('a subscription is renewed before it ends, after a question whether the other side is there [setting xmppGateway.subscriptionRefreshSeconds]', () => {
  for (const subscriptionSeconds of [600, 28_800]) {
    const stage = new Stage({ subscriptionSeconds });
    watching(stage, 600);
    stage.wait(538_000);
    stage.isQuiet();
    stage.wait(3000);
    assert.match(
      stage.said()[0] ?? '',
      /^<presence from="sip.example" to="juliet@xmpp.example" id="guard-.*type="probe"/,
    );
    stage.wait(4000);
    const renewal = stage.gets('SUBSCRIBE');
    assert.deepEqual([renewal.to.tag, renewal.header('Expires')], ['peer', String(subscriptionSeconds)]);
    grants(stage, renewal, 600);
    stage.isQuiet();
  }
});

test('somebody who is not there any more is not watched for, until they are back (RFC 8048 §8.1)', () => {
  const stage = new Stage();
  watching(stage, 600);
  stage.wait(541_000);
  const id = / id="(guard-[^"]+)"/.exec(stage.said()[0] ?? '')?.[1];
  stage.arrives(
    `<presence from='${JULIET}' to='sip.example' id='${id}' type='error'><error type='cancel'>` +
      "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
  );
  stage.wait(100_000);
  stage.isQuiet();
  stage.arrives(presence('probe', BALCONY));
  const subscribe = stage.gets('SUBSCRIBE');
  assert.equal(subscribe.to.tag, undefined);
  grants(stage, subscribe);
  notifies(stage, subscribe, 'active', 1, [OPEN]);
  assert.match(stage.said().at(-1) ?? '', /orchard/);
});

test('a renewal that the front end knows nothing of is a new subscription: the authorisation stays', () => {
  const stage = new Stage();
  watching(stage);
  const restarted = new Stage({}, stage);
  restarted.wait(1000);
  const renewal = restarted.gets('SUBSCRIBE');
  assert.equal(renewal.to.tag, 'peer');
  restarted.answers(renewal, 481);
  const anew = restarted.gets('SUBSCRIBE');
  assert.equal(anew.to.tag, undefined);
  grants(restarted, anew);
  notifies(restarted, anew, 'active', 1, [{ resource: 'orchard', available: true }]);
  assert.deepEqual(restarted.said(), [`<presence from="${ROMEO}/orchard" to="${JULIET}"/>`]);
});

test('unsubscribe ends the subscription and is confirmed; the last NOTIFY is answered for by nobody (RFC 8048 §5.2.3)', () => {
  const stage = new Stage();
  watching(stage);
  assert.equal(stage.arrives(presence('unsubscribe')).done(), true);
  const end = stage.gets('SUBSCRIBE');
  assert.equal(end.header('Expires'), '0');
  stage.isQuiet();
  stage.answers(end, 200);
  assert.deepEqual(stage.said(), [`<presence from="${ROMEO}" to="${JULIET}" type="unsubscribed"/>`]);
  assert.equal(new Stage({}, stage).gateway.watches.size, 0);
  assert.equal(stage.arrives(presence('unsubscribe')).done(), true);
  stage.isQuiet();
});

test('who is rejected is unsubscribed; who was deactivated subscribes again at once (RFC 6665 §4.1.3)', () => {
  const stage = new Stage();
  const subscribe = watching(stage);
  notifies(stage, subscribe, 'terminated;reason=deactivated', 2);
  stage.getsResponse(200);
  stage.wait(1000);
  const again = stage.gets('SUBSCRIBE');
  grants(stage, again);
  notifies(stage, again, 'terminated;reason=rejected', 1);
  stage.getsResponse(200);
  assert.match(stage.said().at(-1) ?? '', /type="unsubscribed"/);
  const later = new Stage();
  notifies(later, watching(later), 'terminated;reason=probation;retry-after=30', 2);
  later.getsResponse(200);
  later.wait(29_000);
  later.isQuiet();
  later.wait(2000);
  later.gets('SUBSCRIBE');
});

test('a probe is answered with what is known; without a subscription the state of the moment is asked for (RFC 8048 §7.1)', () => {
  const stage = new Stage();
  watching(stage);
  stage.arrives(presence('probe', BALCONY));
  assert.match(stage.said()[0] ?? '', /from="romeo@sip.example\/orchard"/);
  const other = new Stage();
  other.arrives(presence('probe', BALCONY));
  const poll = other.gets('SUBSCRIBE');
  assert.equal(poll.header('Expires'), '0');
  // RFC 6665 §4.4.1: the NOTIFY may come before the answer.
  notifies(other, poll, 'terminated;reason=timeout', 1, [OPEN]);
  other.getsResponse(200);
  assert.match(other.said()[0] ?? '', /<show>away<\/show>/);
  assert.equal(other.gateway.watches.size, 0);
});

test('an answer to a probe that comes too late begins nothing', () => {
  const stage = new Stage();
  stage.arrives(presence('probe', BALCONY));
  const poll = stage.gets('SUBSCRIBE');
  stage.wait(16_000);
  stage.sip.take();
  grants(stage, poll, 0);
  notifies(stage, poll, 'active', 1, [OPEN]);
  stage.getsResponse(481);
  stage.isQuiet();
});

test('a second subscribe is confirmed again and subscribes no second time', () => {
  const stage = new Stage();
  watching(stage);
  stage.arrives(presence('subscribe'));
  assert.deepEqual(stage.said(), [
    `<presence from="${ROMEO}" to="${JULIET}" type="subscribed"/>`,
    `<presence from="${ROMEO}/orchard" to="${JULIET}"><show>away</show></presence>`,
  ]);
  stage.isQuiet();
});

test('a NOTIFY of another user, of an old number or of no subscription changes nothing', () => {
  const stage = new Stage();
  const subscribe = watching(stage);
  stage.asks('NOTIFY', {
    from: 'sip:tybalt@sip.example',
    callId: subscribe.callId,
    fromTag: 'peer',
    toTag: subscribe.from.tag ?? '',
    headers: [['Subscription-State', 'active']],
  });
  stage.getsResponse(403);
  notifies(stage, subscribe, 'active', 1, []);
  stage.getsResponse(500);
  stage.asks('NOTIFY', { toTag: 'x', headers: [['Subscription-State', 'active']] });
  stage.getsResponse(481);
  assert.deepEqual(stage.said(), []);
});

test('how many may be watched is bounded [setting xmppGateway.limits.subscriptions] [setting xmppGateway.limits.subscriptionsPerUser]', () => {
  const mercutio = `<presence from='${JULIET}' to='mercutio@sip.example' type='subscribe'/>`;
  const nurse = `<presence from='nurse@xmpp.example' to='${ROMEO}' type='subscribe'/>`;
  const perUser = new Stage({ subscriptionsPerUser: 1 });
  for (const text of [presence('subscribe'), mercutio, nurse]) perUser.arrives(text);
  assert.match(
    perUser.said().join(),
    /^<presence from="mercutio@[^>]*type="error".*<resource-constraint [^,]*$/,
  );
  const all = new Stage({ subscriptions: 1 });
  for (const text of [presence('subscribe'), nurse]) assert.equal(all.arrives(text).done(), true);
  assert.match(all.said().join(), /<resource-constraint /);
});
