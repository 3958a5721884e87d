import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOfHtml } from './html-text.ts';
import { readInstantMessage } from './instant-message.ts';
import { writeDelivered } from './receipts.ts';
import { writeTyping } from './typing.ts';

const read = (type: string | undefined, body: string | Buffer) =>
  readInstantMessage(type, typeof body === 'string' ? Buffer.from(body) : body);

test('plain text is read in its character set, and without a type', () => {
  assert.deepEqual(read('text/plain; charset=UTF-8', 'Grüße'), { kind: 'text', text: 'Grüße' });
  assert.deepEqual(read('text/plain;charset=iso-8859-1', Buffer.from('Grüße', 'latin1')), {
    kind: 'text',
    text: 'Grüße',
  });
  assert.deepEqual(read(undefined, 'x'), { kind: 'text', text: 'x' });
  assert.equal(read('text/plain;charset=koi8-r', 'x'), undefined);
  assert.equal(read('text/plain', Buffer.from([0xff])), undefined);
  assert.equal(read('application/octet-stream', 'x'), undefined);
  assert.equal(read('nonsense', 'x'), undefined);
});

test('HTML becomes the text that it shows, without script or markup', () => {
  const html = '<html><head><title>t</title></head><body><p>a &lt;b&gt; &#228;</p><script>x()</script>c<br>d';
  assert.equal(textOfHtml(html), 'a <b> ä\nc\nd');
  assert.equal(textOfHtml('&#xd800;&#1114112;&unknown;'), '\ufffd\ufffd&unknown;');
  assert.deepEqual(read('text/html', '<b>x</b>'), { kind: 'text', text: 'x' });
});

test('of alternatives the plain one is taken; a broken multipart is none', () => {
  const body =
    '--b\r\nContent-Type: text/html\r\n\r\n<i>rich</i>\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b--\r\n';
  assert.deepEqual(read('multipart/alternative; boundary=b', body), { kind: 'text', text: 'plain' });
  assert.deepEqual(read('multipart/alternative; boundary="b"', body.replace('text/plain', 'image/gif')), {
    kind: 'text',
    text: 'rich',
  });
  assert.equal(read('multipart/alternative; boundary=c', body), undefined);
  assert.equal(read('multipart/alternative', body), undefined);
  assert.equal(read('multipart/alternative; boundary=b', body.replace('--b--', '')), undefined);
});

test('typing is read in both forms (RFC 3994 §3.2) and what is written is read again', () => {
  assert.deepEqual(read('application/im-iscomposing+xml', writeTyping('active')), {
    kind: 'typing',
    typing: 'active',
  });
  assert.deepEqual(read('application/im-iscomposing+xml', writeTyping('idle')), {
    kind: 'typing',
    typing: 'idle',
  });
  const keyboard = (status: string) =>
    read('application/xml', `<KeyboardActivity><status status="${status}"/></KeyboardActivity>`);
  assert.deepEqual(keyboard('type'), { kind: 'typing', typing: 'active' });
  assert.deepEqual(keyboard('idle'), { kind: 'typing', typing: 'idle' });
  assert.equal(keyboard('other'), undefined);
  assert.equal(read('application/xml', '<other/>'), undefined);
  assert.equal(read('application/im-iscomposing+xml', '<!DOCTYPE a><a/>'), undefined);
});

const RFC5438_EXAMPLE = [
  'From: Alice <im:alice@example.com>',
  'To: Bob <im:bob@example.com>',
  'NS: imdn <urn:ietf:params:imdn>',
  'imdn.Message-ID: 34jk324j',
  'DateTime: 2006-04-04T12:16:49-05:00',
  'imdn.Disposition-Notification: positive-delivery, negative-delivery',
  'Content-type: text/plain',
  'Content-length: 12',
  '',
  'Hello World',
];

test('a message in an envelope that asks for its delivery tells its id (RFC 5438 §7.1.1)', () => {
  const [head, rest] = [RFC5438_EXAMPLE.slice(0, 6), RFC5438_EXAMPLE.slice(6)];
  const text = [...head, '', ...rest].join('\r\n');
  assert.deepEqual(read('message/cpim', text), { kind: 'text', text: 'Hello World', receiptFor: '34jk324j' });
  assert.deepEqual(read('message/cpim', text.replace('positive-delivery, ', '')), {
    kind: 'text',
    text: 'Hello World',
  });
  assert.equal(read('message/cpim', 'no envelope'), undefined);
});

test('a notification of delivery is written as RFC 5438 §7.2.1 has it, and read again', () => {
  const notification = writeDelivered({
    from: 'sip:bob@example.com',
    to: 'sip:alice@example.com',
    id: '34jk324j',
    ownId: 'd834jied93rf',
    at: '2006-04-04T17:16:49Z',
  });
  assert.match(notification.toString(), /^From: <sip:bob@example.com>\r\nTo: <sip:alice@example.com>\r\n/);
  assert.match(notification.toString(), /<delivery-notification><status><delivered\/>/);
  assert.deepEqual(read('message/cpim', notification), { kind: 'delivered', id: '34jk324j' });
  const failed = Buffer.from(notification.toString().replace('<delivered/>', '<failed/>'));
  assert.deepEqual(read('message/cpim', failed), { kind: 'nothing' });
});
