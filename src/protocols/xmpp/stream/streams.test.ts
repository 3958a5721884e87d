import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialbackKey } from '../dialback/key.ts';
import {
  certified,
  ended,
  HEADER,
  header,
  inbound,
  message,
  OURS,
  outbound,
  partner,
  SECRET,
  say,
  sent,
  settings,
  THEIRS,
  types,
  Wire,
} from '../testing/stage.ts';
import type { StreamAction } from './actions.ts';

const pair = { from: THEIRS, to: OURS };
const authorizations = (actions: readonly StreamAction[]) =>
  actions.flatMap((action) => (action.type === 'authorized' ? [action.by] : []));
const stanzas = (actions: readonly StreamAction[]) =>
  actions.flatMap((action) => (action.type === 'stanza' ? [action] : []));

test('STARTTLS, SASL EXTERNAL, then a stanza (XEP-0178)', () => {
  const wire = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run();
  assert.deepEqual(authorizations(wire.fromReceiver), ['sasl-external']);
  assert.deepEqual(authorizations(wire.fromInitiator), ['sasl-external']);
  assert.equal(wire.initiator.ready, true);
  const [arrived] = stanzas(say(wire.receiver, message()));
  assert.deepEqual(arrived?.pair, pair);
});

test('Direct TLS: the first header comes inside TLS (XEP-0368)', () => {
  const initiator = partner({ methods: ['sasl-external'], security: certified(OURS) });
  const wire = new Wire(
    initiator,
    inbound({ methods: ['sasl-external'], security: certified(THEIRS) }),
  ).run();
  assert.equal(types(wire.fromInitiator).includes('start-tls'), false);
  assert.equal(wire.initiator.ready, true);
});

test('dialback over TLS, correlated, and its outcome in both directions (XEP-0220)', () => {
  const wire = new Wire(partner({ methods: ['tls-dialback'] }), inbound({ methods: ['tls-dialback'] })).run();
  const asked = wire.fromReceiver.find((action) => action.type === 'check-dialback');
  assert.ok(asked?.type === 'check-dialback');
  assert.deepEqual(asked.pair, pair);
  wire.deliver('receiver', wire.receiver.handleDialbackChecked(asked.pair, asked.streamId, true, 0));
  assert.equal(wire.initiator.ready, true);
  assert.equal(wire.initiator.provenBy, 'dialback');
  assert.equal(stanzas(say(wire.receiver, message())).length, 1);
});

test('dialback over plain TCP, where the entry of the partner allows it', () => {
  const wire = new Wire(partner({ methods: ['tcp-dialback'] }), inbound({ methods: ['tcp-dialback'] })).run();
  const asked = wire.fromReceiver.find((action) => action.type === 'check-dialback');
  assert.ok(asked?.type === 'check-dialback');
  wire.deliver('receiver', wire.receiver.handleDialbackChecked(asked.pair, asked.streamId, true, 0));
  assert.equal(wire.initiator.ready, true);
  assert.equal(wire.initiator.secured, false);
});

test('the authoritative server knows its keys without remembering them', () => {
  const asking = outbound(
    { methods: ['tls-dialback'], purpose: 'verify', security: certified() },
    THEIRS,
    OURS,
  );
  const wire = new Wire(asking, inbound({ methods: ['tls-dialback'], security: certified() })).run();
  const subject = { receiving: THEIRS, originating: OURS, streamId: 'abc' };
  const answer = (key: string) => {
    wire.deliver('initiator', asking.verify({ from: OURS, to: THEIRS }, 'abc', key, 0));
    const verdict = wire.fromInitiator.findLast((action) => action.type === 'verified');
    return verdict?.type === 'verified' ? verdict.valid : undefined;
  };
  assert.equal(answer(dialbackKey(SECRET, subject)), true);
  assert.equal(answer(dialbackKey('another secret', subject)), false);
  for (const other of ['of the pool before', 'of the pool next'])
    assert.equal(answer(dialbackKey(other, subject)), true, 'another edge of the pool made it');
});

test('X4: an answer to dialback counts only for what was asked on this stream', () => {
  const stream = inbound({ methods: ['tcp-dialback'] });
  say(stream, HEADER);
  assert.deepEqual(stream.handleDialbackChecked(pair, 'stream-1', true, 0), []);
  const asked = say(stream, `<db:result from='${THEIRS}' to='${OURS}'>key</db:result>`);
  assert.deepEqual(types(asked), ['check-dialback']);
  assert.deepEqual(stream.handleDialbackChecked(pair, 'stream-2', true, 0), []);
  assert.deepEqual(
    stream.handleDialbackChecked({ from: 'other.example', to: OURS }, 'stream-1', true, 0),
    [],
  );
  assert.equal(ended(say(stream, message())), 'not-authorized');
});

test('X4: nobody may send the answer that we would give', () => {
  const stream = inbound({ methods: ['tcp-dialback'] });
  say(stream, HEADER);
  const forged = say(stream, `<db:result from='${THEIRS}' to='${OURS}' type='valid'/>`);
  assert.equal(ended(forged), 'dialback-uncorrelated');
  const initiator = outbound({ methods: ['tcp-dialback'] });
  initiator.start(0);
  say(initiator, `${header(THEIRS, OURS)}<stream:features/>`);
  const other = say(initiator, `<db:result from='other.example' to='${OURS}' type='valid'/>`);
  assert.equal(ended(other), 'dialback-uncorrelated');
  assert.equal(initiator.ready, false);
});

test('X4: an answer to db:verify has to match id and both domains', () => {
  const asking = outbound({ methods: ['tcp-dialback'], purpose: 'verify' });
  asking.start(0);
  say(asking, `${header(THEIRS, OURS)}<stream:features/>`);
  asking.verify(pair, 'ours', 'key', 0);
  const wrong = say(asking, `<db:verify from='${THEIRS}' to='${OURS}' id='other' type='valid'/>`);
  assert.equal(ended(wrong), 'dialback-uncorrelated');
});

test('X5: a certificate for another domain is offered no EXTERNAL, and claims none', () => {
  const stream = inbound({ methods: ['sasl-external'], security: certified('other.example') });
  const offered = sent(say(stream, HEADER));
  assert.doesNotMatch(offered, /EXTERNAL/);
  const claimed = say(stream, `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`);
  assert.equal(ended(claimed), 'certificate-not-accepted');
  assert.match(sent(claimed), /<not-authorized/);
});

test('X5: we send nothing to a server whose certificate does not speak for its domain', () => {
  const receiver = inbound({ methods: ['sasl-external'] });
  const certificates = { initiator: certified(THEIRS), receiver: certified('other.example') };
  const wire = new Wire(partner({ methods: ['sasl-external'] }), receiver, certificates).run();
  assert.equal(ended(wire.fromInitiator), 'certificate-not-accepted');
});

test('X6: no compression is offered, and none is begun', () => {
  const stream = inbound({ methods: ['tcp-dialback'] });
  assert.doesNotMatch(sent(say(stream, HEADER)), /compress/);
  const compress = `<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>`;
  assert.equal(ended(say(stream, compress)), 'unexpected-element');
});

test('X7: what is pipelined behind starttls is discarded', () => {
  const stream = inbound({ methods: ['sasl-external', 'tls-dialback'] });
  const injected = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${HEADER}<db:result from='${THEIRS}' to='${OURS}'>k</db:result>`;
  const actions = say(stream, HEADER + injected);
  assert.deepEqual(types(actions), ['start-tls']);
  assert.deepEqual(say(stream, message()), [], 'nothing is read until TLS is there');
  stream.handleSecured(certified(THEIRS), 0);
  assert.match(sent(say(stream, HEADER)), /EXTERNAL/, 'the stream begins anew');
});

test('X7: a server that hides STARTTLS gets nothing', () => {
  const initiator = outbound({ methods: ['sasl-external', 'tls-dialback'] });
  initiator.start(0);
  assert.equal(ended(say(initiator, `${header(THEIRS, OURS)}<stream:features/>`)), 'tls-not-offered');
});

test('X7: what a server pipelines behind proceed is discarded', () => {
  const initiator = outbound({ methods: ['sasl-external'] });
  initiator.start(0);
  say(
    initiator,
    `${header(THEIRS, OURS)}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>`,
  );
  const injected = `${header(THEIRS, OURS)}<stream:features/>`;
  const actions = say(initiator, `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${injected}`);
  assert.deepEqual(types(actions), ['start-tls']);
  assert.equal(sent(actions), '');
});

test('X8: a stanza from another domain ends the stream, and is not passed on', () => {
  const wire = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run();
  const actions = say(wire.receiver, message('juliet@other.example'));
  assert.deepEqual(stanzas(actions), []);
  assert.equal(ended(actions), 'from-not-authorized');
  assert.match(sent(actions), /<invalid-from/);
});

test('X8: so does one without an address, one to a domain that is not ours, and one before any proof', () => {
  const wire = () =>
    new Wire(partner({ methods: ['sasl-external'] }), inbound({ methods: ['sasl-external'] })).run().receiver;
  assert.equal(ended(say(wire(), '<message><body>x</body></message>')), 'improper-addressing');
  assert.equal(ended(say(wire(), message(`a@${THEIRS}`, 'b@elsewhere.example'))), 'from-not-authorized');
  const stranger = inbound({ methods: ['tcp-dialback'] });
  assert.equal(ended(say(stranger, HEADER + message())), 'not-authorized');
});

test('X9: nobody speaks for another by SASL', () => {
  const stream = inbound({ methods: ['sasl-external'], security: certified(THEIRS, 'other.example') });
  say(stream, HEADER);
  const other = Buffer.from('other.example').toString('base64');
  const actions = say(
    stream,
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>${other}</auth>`,
  );
  assert.equal(ended(actions), 'sasl-identity-mismatch');
  const plain = inbound({ methods: ['sasl-external'], security: certified(THEIRS) });
  say(plain, HEADER);
  assert.equal(
    ended(say(plain, `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>`)),
    'sasl-refused',
  );
});

test('an unlisted domain, a domain that is not ours and a header without addresses', () => {
  const open = (text: string) => say(inbound({ methods: ['tcp-dialback'] }), text);
  assert.equal(ended(open(header('evil.example', OURS))), 'not-a-partner');
  assert.equal(ended(open(header(THEIRS, 'elsewhere.example'))), 'host-unknown');
  assert.equal(ended(open(HEADER.replace(/from='[^']*'/, ''))), 'improper-addressing');
  assert.equal(ended(open(HEADER.replace(" version='1.0'>", '>'))), 'version-unsupported');
  assert.equal(ended(open(HEADER.replace("'jabber:server'", "'jabber:client'"))), 'header-invalid');
});

test('X1: who does not get anywhere is closed, and so is who begins a stanza and does not end it', () => {
  const { establishmentMs, stanzaMs, inactivityMs } = settings.times;
  const silent = inbound({ methods: ['tcp-dialback'] });
  assert.deepEqual(silent.handleTime(establishmentMs - 1), []);
  assert.equal(ended(silent.handleTime(establishmentMs)), 'establishment-timeout');
  const slow = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run().receiver;
  say(slow, '<message ', 1000);
  assert.equal(ended(slow.handleTime(1000 + stanzaMs)), 'stanza-timeout');
  const held = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run().receiver;
  say(held, '<message ', 1000);
  assert.deepEqual(held.handleTime(1000 + stanzaMs, true), [], 'it is us who do not read');
  assert.deepEqual(held.handleTime(999 + 2 * stanzaMs), []);
  assert.equal(ended(held.handleTime(1000 + 2 * stanzaMs)), 'stanza-timeout');
  const idle = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run().receiver;
  assert.equal(ended(idle.handleTime(inactivityMs)), 'inactive');
});

test('a blank keeps a stream alive', () => {
  const { receiver } = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run();
  const actions = receiver.handleTime(settings.times.keepAliveMs);
  assert.deepEqual(actions, [{ type: 'send', text: ' ' }]);
});

test('X4: pairs of one stream are bounded', () => {
  const stream = inbound({ methods: ['tcp-dialback'] });
  say(stream, HEADER);
  say(stream, `<db:result from='${THEIRS}' to='${OURS}'>1</db:result>`);
  assert.equal(
    ended(say(stream, `<db:result from='${THEIRS}' to='${OURS}'>2</db:result>`)),
    'unexpected-element',
  );
});

test('a stanza is acknowledged when it is safe with the next one, not when it arrived (XEP-0198)', () => {
  const { receiver } = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run();
  const actions = say(receiver, `${message()}${message()}<r xmlns='urn:xmpp:sm:3'/>`);
  const [first, second] = stanzas(actions);
  assert.match(sent(actions), /<a xmlns="urn:xmpp:sm:3" h="0"\/>/);
  assert.equal(sent(receiver.handled(second!.number, 1)), '', 'the first one is still under way');
  assert.match(sent(receiver.handled(first!.number, 1)), /h="2"/);
  assert.equal(receiver.open, 0);
});

test('what the peer did not acknowledge is given back when the stream ends (XEP-0198)', () => {
  const wire = new Wire(
    partner({ methods: ['sasl-external'] }),
    inbound({ methods: ['sasl-external'] }),
  ).run();
  const stanza = stanzas(say(wire.receiver, message()))[0]!.stanza;
  const sentNow = sent(wire.initiator.send(stanza, 0)) + sent(wire.initiator.send(stanza, 0));
  assert.equal(sentNow.match(/<r /g)?.length, 1, 'one question is open at a time');
  const taken = say(wire.initiator, `<a xmlns='urn:xmpp:sm:3' h='1'/>`);
  assert.deepEqual(types(taken), ['acknowledged']);
  assert.equal(wire.initiator.takeUnacknowledged().length, 1);
  assert.equal(ended(say(wire.initiator, `<a xmlns='urn:xmpp:sm:3' h='5'/>`)), 'acknowledgement-impossible');
});

test('one stream for both directions, only with a certificate that was accepted (XEP-0288)', () => {
  const initiator = partner({ methods: ['sasl-external'], bidirectional: true });
  const wire = new Wire(initiator, inbound({ methods: ['sasl-external'] })).run();
  assert.deepEqual(authorizations(wire.fromInitiator), ['sasl-external', 'bidi']);
  const back = { from: OURS, to: THEIRS };
  assert.equal(wire.receiver.carries(back), true);
  assert.equal(wire.receiver.carries({ from: OURS, to: 'other.example' }), false);
  assert.equal(stanzas(say(initiator, message(`romeo@${OURS}`, `juliet@${THEIRS}`))).length, 1);
  assert.equal(ended(say(initiator, message('x@other.example', `juliet@${THEIRS}`))), 'from-not-authorized');
  const oneWay = partner({ methods: ['sasl-external'] });
  new Wire(oneWay, inbound({ methods: ['sasl-external'] })).run();
  assert.equal(ended(say(oneWay, message(`romeo@${OURS}`, `juliet@${THEIRS}`))), 'not-authorized');
});

test('nothing goes back on a stream before its peer enables acknowledgements, or has had the time to (XEP-0288, XEP-0198)', () => {
  const back = { from: OURS, to: THEIRS };
  const proven = () => {
    const receiver = inbound({ methods: ['sasl-external'], security: certified(THEIRS) });
    say(receiver, `${HEADER}<bidi xmlns='urn:xmpp:bidi'/>`);
    const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`;
    assert.match(sent(say(receiver, auth)), /<success /);
    assert.equal(receiver.carries(back), false, 'its new header is still to come');
    assert.match(sent(say(receiver, HEADER)), /urn:xmpp:sm:3/);
    assert.equal(receiver.carries(back), false);
    return receiver;
  };
  const told = [{ type: 'authorized', pair: back, by: 'bidi' }];
  const bidi = (actions: readonly StreamAction[]) =>
    actions.filter((action) => action.type === 'authorized' && action.by === 'bidi');
  const managed = proven();
  assert.deepEqual(bidi(say(managed, `<enable xmlns='urn:xmpp:sm:3'/>`)), told);
  assert.deepEqual([managed.carries(back), managed.managed], [true, true]);
  const speaks = proven();
  assert.deepEqual(bidi(say(speaks, message())), told, 'it says something before, or without');
  assert.deepEqual([speaks.carries(back), speaks.managed], [true, false]);
  const silent = proven();
  assert.deepEqual(bidi(silent.handleTime(1999)), []);
  assert.deepEqual(bidi(silent.handleTime(2000)), told);
  assert.deepEqual(bidi(silent.handleTime(3000)), [], 'once');
  assert.equal(silent.carries(back), true);
});

test('SASL refused falls back to dialback where both are allowed', () => {
  const initiator = partner({ methods: ['sasl-external', 'tls-dialback'], security: certified(OURS) });
  initiator.start(0);
  const features = `<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>`;
  assert.match(sent(say(initiator, header(OURS, THEIRS) + features)), /<auth /);
  const failure = `<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>`;
  assert.match(sent(say(initiator, failure)), /<db:result /);
  const strict = partner({ methods: ['sasl-external'], security: certified(OURS) });
  strict.start(0);
  say(strict, header(OURS, THEIRS) + features);
  assert.equal(ended(say(strict, failure)), 'sasl-refused');
});

test('an error before our header stands inside a stream', () => {
  const text = sent(say(inbound({ methods: ['tcp-dialback'] }), '<bad'.repeat(5000)));
  assert.match(text, /^<\?xml version='1.0'\?><stream:stream [^>]*><stream:error><not-well-formed /);
  assert.match(text, /<\/stream:error><\/stream:stream>$/);
});
