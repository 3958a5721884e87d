import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { readPresenceDocument } from '#protocols/sip-xmpp';
import { BALCONY, JULIET, ROMEO, Stage } from './testing/stage.ts';

const EVENT = [['Event', 'presence']] as const;
const presence = (type: string) => `<presence from='${JULIET}' to='${ROMEO}' type='${type}'/>`;
const here = (inside = '', from = BALCONY) => `<presence from='${from}' to='${ROMEO}'>${inside}</presence>`;

interface Dialog {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
}

/** Romeo subscribes; takes the 200 and gives the dialog. */
function subscribes(
  stage: Stage,
  expires = 3600,
  headers: readonly (readonly [string, string])[] = EVENT,
): Dialog {
  const { callId, tag } = stage.asks('SUBSCRIBE', { headers: [...headers, ['Expires', String(expires)]] });
  const response = stage.getsResponse(200);
  return { callId, fromTag: tag, toTag: response.to.tag ?? '' };
}

/** Takes a NOTIFY, answers it, and gives its state and what it says of devices. */
function notified(
  stage: Stage,
  status = 200,
): { readonly state: string; readonly devices: string; readonly request: SipRequest } {
  const request = stage.gets('NOTIFY');
  stage.answers(request, status);
  const devices = readPresenceDocument(request.body)?.map(
    ({ resource, available, show }) => `${resource ?? '-'} ${available ? (show ?? 'open') : 'closed'}`,
  );
  return { state: request.header('Subscription-State') ?? '', devices: devices?.join() ?? '', request };
}

/** Romeo watches Juliet, who has approved and is on her balcony. */
function watching(stage: Stage): Dialog {
  const dialog = subscribes(stage);
  notified(stage);
  stage.arrives(presence('subscribed'));
  notified(stage);
  stage.arrives(here());
  notified(stage);
  stage.said();
  return dialog;
}

test('SUBSCRIBE is answered, pending and passed on; subscribed is active, presence a document (RFC 8048 §5.3.1)', () => {
  const stage = new Stage();
  subscribes(stage);
  assert.deepEqual(stage.said(), [`<presence from="${ROMEO}" to="${JULIET}" type="subscribe"/>`]);
  assert.equal(notified(stage).state, 'pending;expires=3600');
  assert.equal(stage.arrives(presence('subscribed')).done(), true);
  const active = notified(stage);
  assert.deepEqual([active.state, active.request.body.length], ['active;expires=3600', 0]);
  stage.arrives(here('<show>dnd</show>'));
  const { devices, request } = notified(stage);
  assert.equal(devices, 'balcony dnd');
  assert.deepEqual([request.from.uri, request.header('Event')], [`sip:${JULIET}`, 'presence']);
  stage.arrives(here('', `${JULIET}/tomb`));
  assert.equal(notified(stage).devices.split(',').length, 2);
  stage.arrives(`<presence from='${BALCONY}' to='${ROMEO}' type='unavailable'/>`);
  assert.equal(notified(stage).devices, 'tomb open');
});

test('who is declined, or cancelled later, hears terminated;reason=rejected (RFC 8048 §5.3.1)', () => {
  const stage = new Stage();
  subscribes(stage);
  notified(stage);
  stage.arrives(presence('unsubscribed'));
  assert.equal(notified(stage).state, 'terminated;reason=rejected');
  const later = new Stage();
  watching(later);
  later.arrives(presence('unsubscribed'));
  assert.equal(notified(later).state, 'terminated;reason=rejected');
  assert.equal(new Stage({}, later).gateway.watchers.size, 0);
});

test('SUBSCRIBE with Expires 0 in the dialog ends it: closed, and unavailable rather than unsubscribe (RFC 8048 §5.3.3)', () => {
  const stage = new Stage();
  const dialog = watching(stage);
  stage.asks('SUBSCRIBE', { ...dialog, cseq: 2, headers: [...EVENT, ['Expires', '0']] });
  stage.getsResponse(200);
  const last = notified(stage);
  assert.deepEqual([last.state, last.devices], ['terminated;reason=timeout', '- closed']);
  assert.deepEqual(stage.said(), [`<presence from="${ROMEO}" to="${JULIET}" type="unavailable"/>`]);
  // The authorisation stays: the next subscription asks for nothing but the state.
  subscribes(stage);
  assert.deepEqual(stage.said(), [`<presence from="${ROMEO}" to="${JULIET}" type="probe"/>`]);
  assert.equal(notified(stage).state, 'active;expires=3600');
});

test('a refresh is answered with the state (RFC 8048 §5.3.2), an old one with 500', () => {
  const stage = new Stage();
  const dialog = watching(stage);
  stage.asks('SUBSCRIBE', { ...dialog, cseq: 2, headers: [...EVENT, ['Expires', '100']] });
  assert.equal(stage.getsResponse(200).header('Expires'), '100');
  assert.deepEqual([notified(stage).devices], ['balcony open']);
  stage.asks('SUBSCRIBE', { ...dialog, cseq: 2, headers: EVENT });
  stage.getsResponse(500);
  stage.asks('SUBSCRIBE', { ...dialog, from: 'sip:tybalt@sip.example', cseq: 3, headers: EVENT });
  stage.getsResponse(403);
  stage.wait(101_000);
  assert.equal(notified(stage).state, 'terminated;reason=timeout');
});

test('a poll is answered with what is known, or with what a probe brings (RFC 8048 §7.2)', () => {
  const stage = new Stage();
  watching(stage);
  subscribes(stage, 0);
  assert.deepEqual(notified(stage).devices, 'balcony open');
  const restarted = new Stage({}, stage);
  const mercutio = subscribes(restarted, 0);
  assert.notEqual(mercutio.toTag, '');
  assert.match(restarted.said()[0] ?? '', /type="probe"/);
  restarted.isQuiet();
  restarted.arrives(here());
  const states = [notified(restarted), notified(restarted)].map(({ state }) => state.replace(/\d+/, 'n'));
  assert.deepEqual(states.sort(), ['active;expires=n', 'terminated;reason=timeout']);
  const never = new Stage();
  subscribes(never, 0);
  assert.equal(notified(never).state, 'terminated;reason=timeout');
});

test('after a restart the subscriptions go on, and what was missed is asked for', () => {
  const stage = new Stage();
  const dialog = watching(stage);
  const restarted = new Stage({}, stage);
  restarted.gateway.handleLink();
  restarted.isQuiet();
  restarted.wait(3000);
  assert.deepEqual(restarted.said(), [`<presence from="${ROMEO}" to="${JULIET}" type="probe"/>`]);
  restarted.arrives(here('<show>xa</show>'));
  const { request, devices } = notified(restarted);
  assert.deepEqual([request.callId, request.to.tag, devices], [dialog.callId, dialog.fromTag, 'balcony xa']);
  assert.equal(request.cseq.number, 4);
});

test('a NOTIFY that its subscriber knows nothing of ends the subscription; a way that is closed does not (RFC 6665 §4.2.2)', () => {
  const stage = new Stage();
  watching(stage);
  stage.reachable = false;
  stage.arrives(here('<show>away</show>'));
  assert.equal(stage.gateway.watchers.size, 1);
  stage.reachable = true;
  stage.wait(1000);
  assert.equal(notified(stage, 481).devices, 'balcony away');
  assert.equal(stage.gateway.watchers.size, 0);
});

test('changes while a NOTIFY is under way are told by one more', () => {
  const stage = new Stage();
  watching(stage);
  for (const show of ['away', 'dnd', 'xa']) stage.arrives(here(`<show>${show}</show>`));
  assert.equal(notified(stage).devices, 'balcony away');
  assert.equal(notified(stage).devices, 'balcony xa');
  stage.isQuiet();
});

test('an address that does not exist ends what is pending; an error for one who has approved is offline', () => {
  const error = (condition: string) =>
    `<presence from='${JULIET}' to='${ROMEO}' type='error'><error type='cancel'>` +
    `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`;
  const stage = new Stage();
  subscribes(stage);
  notified(stage);
  stage.arrives(error('item-not-found'));
  assert.equal(notified(stage).state, 'terminated;reason=noresource');
  const away = new Stage();
  subscribes(away);
  notified(away);
  away.arrives(error('remote-server-timeout'));
  assert.equal(notified(away).state, 'terminated;reason=probation;retry-after=300');
  const offline = new Stage();
  watching(offline);
  offline.arrives(error('recipient-unavailable'));
  assert.equal(notified(offline).devices, '- closed');
});

test('presence of somebody who has not approved is nobody’s', () => {
  const stage = new Stage();
  subscribes(stage);
  notified(stage);
  stage.said();
  stage.arrives(here());
  stage.arrives(presence('subscribed').replace(JULIET, 'nurse@xmpp.example'));
  stage.arrives(here('', 'nurse@xmpp.example/kitchen'));
  stage.isQuiet();
});

test('what cannot be subscribed to is refused (RFC 6665 §4.2.1)', () => {
  const stage = new Stage();
  const ask = (headers: readonly (readonly [string, string])[], to?: string) =>
    stage.asks('SUBSCRIBE', { headers, ...(to === undefined ? {} : { to }) });
  ask([['Event', 'dialog']]);
  assert.equal(stage.getsResponse(489).header('Allow-Events'), 'presence');
  ask([...EVENT, ['Accept', 'application/xpidf+xml']]);
  stage.getsResponse(406);
  ask([...EVENT, ['Expires', '10']]);
  assert.equal(stage.getsResponse(423).header('Min-Expires'), '60');
  ask(EVENT, 'sip:tybalt@sip.example');
  stage.getsResponse(403);
  const rules = stage.refusals.map(({ reason }) => reason);
  assert.deepEqual(rules, ['not-supported', 'not-supported', 'not-supported', 'foreign-domain']);
  const few = new Stage({ subscriptions: 1 });
  subscribes(few);
  notified(few);
  few.asks('SUBSCRIBE', { to: 'sip:nurse@xmpp.example', headers: EVENT });
  few.getsResponse(503);
});

test('an event id is kept', () => {
  const stage = new Stage();
  subscribes(stage, 3600, [['Event', 'presence;id=7']]);
  assert.equal(notified(stage).request.header('Event'), 'presence;id=7');
});

test('one user has so many subscriptions to one contact, and leaves the others to others', () => {
  const stage = new Stage();
  for (let device = 0; device < 32; device++) {
    subscribes(stage);
    notified(stage);
  }
  stage.asks('SUBSCRIBE', { headers: EVENT });
  stage.getsResponse(403);
  stage.asks('SUBSCRIBE', { headers: EVENT, from: 'sip:benvolio@sip.example' });
  stage.getsResponse(200);
});
