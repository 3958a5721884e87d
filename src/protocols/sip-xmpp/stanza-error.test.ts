import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element, writeXml } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { errorReply, stanzaErrorOf } from './stanza-error.ts';

const message = element(NS.server, 'message', { from: 'a@x.example/r', to: 'b@y.example', id: '7' });

test('an error goes back with addresses turned round, the id, its condition, type and text (RFC 6120 §8.3)', () => {
  const reply = errorReply(message, { condition: 'item-not-found', text: 'Not <here>' });
  assert.ok(reply !== undefined);
  assert.equal(
    writeXml(reply, NS.server),
    '<message from="b@y.example" to="a@x.example/r" id="7" type="error"><error type="cancel">' +
      '<item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>' +
      '<text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">Not &lt;here&gt;</text></error></message>',
  );
  assert.deepEqual(stanzaErrorOf(reply), { condition: 'item-not-found', text: 'Not <here>' });
});

test('errors and results are never answered by an error (RFC 6120 §8.3.1)', () => {
  const of = (name: string, type: string) => element(NS.server, name, { type });
  assert.equal(errorReply(of('message', 'error'), { condition: 'gone' }), undefined);
  assert.equal(errorReply(of('iq', 'result'), { condition: 'gone' }), undefined);
});

test('the new address of somebody who is gone is read and written; an unknown condition is undefined', () => {
  const reply = errorReply(message, { condition: 'gone', address: 'xmpp:romeo@afterlife.example' });
  assert.ok(reply !== undefined);
  assert.deepEqual(stanzaErrorOf(reply), { condition: 'gone', address: 'xmpp:romeo@afterlife.example' });
  const odd = element(NS.server, 'error', {}, [element(NS.stanzaErrors, 'tired')]);
  assert.deepEqual(stanzaErrorOf(element(NS.server, 'message', { type: 'error' }, [odd])), {
    condition: 'undefined-condition',
  });
  assert.deepEqual(stanzaErrorOf(message), { condition: 'undefined-condition' });
});
