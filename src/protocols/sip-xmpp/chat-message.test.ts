import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXmlDocument, writeXml, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { type ChatMessage, readChatMessage, writeChatMessage } from './chat-message.ts';
import { chatStateOf, chatStates, smallDocument, typingOf } from './typing.ts';

function stanza(attributes: string, inside: string): XmlElement {
  const read = readXmlDocument(
    Buffer.from(`<message xmlns='jabber:server' ${attributes}>${inside}</message>`),
    smallDocument,
  );
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

test('a message of RFC 7572 §4 is read with body, subject, thread, id and language', () => {
  const message = readChatMessage(
    stanza(
      "from='juliet@example.com/balcony' to='romeo@example.net' id='a1' xml:lang='cs' type='chat'",
      '<subject>Hi</subject><body>Art thou not Romeo?</body><thread>711609sa</thread>' +
        "<request xmlns='urn:xmpp:receipts'/><active xmlns='http://jabber.org/protocol/chatstates'/>",
    ),
  );
  assert.deepEqual(message, {
    type: 'chat',
    id: 'a1',
    body: 'Art thou not Romeo?',
    subject: 'Hi',
    thread: '711609sa',
    language: 'cs',
    state: 'active',
    wantsReceipt: true,
    received: undefined,
  });
});

test('a thread that is too long to be remembered names none', () => {
  const thread = (length: number) =>
    readChatMessage(stanza('', `<thread>${'t'.repeat(length)}</thread>`)).thread?.length;
  assert.deepEqual([thread(256), thread(257)], [256, undefined]);
});

test('of several languages the stanza’s own is taken (RFC 6121 §5.2.3)', () => {
  const bodies = "<body xml:lang='en'>Hello</body><body xml:lang='cs'>Ahoj</body>";
  const czech = readChatMessage(stanza("xml:lang='cs'", bodies));
  assert.deepEqual([czech.body, czech.language], ['Ahoj', 'cs']);
  const first = readChatMessage(stanza("xml:lang='de'", bodies));
  assert.deepEqual([first.body, first.language], ['Hello', 'en']);
  assert.equal(readChatMessage(stanza("xml:lang='no language!'", bodies)).language, 'en');
});

test('what is written is read again; a type without a name is normal', () => {
  const message: ChatMessage = {
    type: 'chat',
    id: 'x',
    body: 'a < b',
    subject: 's',
    thread: 't',
    language: 'de-CH',
    state: 'composing',
    wantsReceipt: true,
    received: 'y',
  };
  assert.deepEqual(readChatMessage(writeChatMessage('a@b', 'c@d', message)), message);
  const normal = writeChatMessage('a@b', 'c@d', { type: 'normal', body: 'x' });
  assert.equal(writeXml(normal, NS.server), '<message from="a@b" to="c@d"><body>x</body></message>');
  assert.equal(readChatMessage(stanza("type='shout'", '')).type, 'normal');
});

test('chat states and typing stand for one another as in RFC 7573 §6', () => {
  const told = Object.fromEntries(chatStates.map((state) => [state, typingOf(state)]));
  assert.deepEqual(told, {
    active: 'idle',
    composing: 'active',
    paused: 'idle',
    inactive: 'idle',
    gone: undefined,
  });
  assert.deepEqual([chatStateOf('active'), chatStateOf('idle')], ['composing', 'active']);
});
