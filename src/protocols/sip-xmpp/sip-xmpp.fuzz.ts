import assert from 'node:assert/strict';
import { readXmlDocument } from '#protocols/xml';
import { jidText } from '#protocols/xmpp';
import type { FuzzTarget } from '#tools/fuzz';
import { jidOfSip, sipOfJid } from './addresses.ts';
import { readChatMessage, writeChatMessage } from './chat-message.ts';
import { readInstantMessage } from './instant-message.ts';
import { smallDocument } from './typing.ts';

/** An address that passes keeps its meaning on the way back: nobody becomes somebody else. */
function addresses(input: Uint8Array): void {
  const there = jidOfSip(Buffer.from(input).toString('utf8'));
  if (!there.ok) return;
  const sip = sipOfJid(there.value, true);
  assert.ok(sip.ok, jidText(there.value));
  const back = jidOfSip(sip.value);
  assert.ok(back.ok);
  assert.equal(jidText(back.value), jidText(there.value));
}

function bodies(input: Uint8Array): void {
  const bytes = Buffer.from(input);
  const end = bytes.indexOf(10);
  const [type, body] = [bytes.subarray(0, Math.max(0, end)).toString(), bytes.subarray(end + 1)];
  const read = readInstantMessage(type, body);
  if (read?.kind === 'text') assert.ok(read.text.length <= body.length * 2);
}

function stanzas(input: Uint8Array): void {
  const document = readXmlDocument(input, smallDocument);
  if (!document.ok) return;
  const message = readChatMessage(document.value);
  const again = readChatMessage(writeChatMessage('a@b.example', 'c@d.example', message));
  assert.equal(again.body, message.body);
  assert.equal(again.thread, message.thread);
}

const CPIM = 'From: <im:a@b>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 1\r\n';

export const targets: readonly FuzzTarget[] = [
  {
    name: 'sip-xmpp-addresses',
    seeds: [
      'sip:f%C3%BC@sip.example;gr=bar',
      "sip:o'malley&co@sip.example",
      'sip:a%5C3a%40b@xmpp.example;gr=%2F',
    ].map((text) => Buffer.from(text)),
    run: addresses,
  },
  {
    name: 'sip-xmpp-bodies',
    seeds: [
      'text/html; charset="utf-8"\n<p>a &#65; &lt;</p><script>x</script>',
      'multipart/alternative; boundary=b\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n',
      `message/cpim\n${CPIM}imdn.Disposition-Notification: positive-delivery\r\n\r\nContent-Type: text/plain\r\n\r\nx`,
      "application/im-iscomposing+xml\n<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>",
    ].map((text) => Buffer.from(text)),
    run: bodies,
  },
  {
    name: 'sip-xmpp-stanzas',
    seeds: [
      "<message xmlns='jabber:server' xml:lang='en' type='chat'><body>x</body><thread>t</thread></message>",
      "<message xmlns='jabber:server'><received xmlns='urn:xmpp:receipts' id='1'/></message>",
    ].map((text) => Buffer.from(text)),
    run: stanzas,
  },
];
