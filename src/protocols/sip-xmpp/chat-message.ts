import { child, children, element, textOf, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { type ChatState, chatStates } from './typing.ts';

const CHAT_STATES = 'http://jabber.org/protocol/chatstates';
const RECEIPTS = 'urn:xmpp:receipts';

export const messageTypes = ['chat', 'normal', 'headline', 'groupchat', 'error'] as const;

/** What a message stanza holds of what SIP has words for (RFC 7572 §4, RFC 7573 §4). */
export interface ChatMessage {
  readonly type: (typeof messageTypes)[number];
  readonly id?: string | undefined;
  readonly body?: string | undefined;
  readonly subject?: string | undefined;
  readonly thread?: string | undefined;
  /** A language tag (RFC 5646). */
  readonly language?: string | undefined;
  readonly state?: ChatState | undefined;
  /** XEP-0184: the sender asks for a receipt. */
  readonly wantsReceipt?: boolean | undefined;
  /** XEP-0184: this is the receipt for the message of that id. */
  readonly received?: string | undefined;
}

const LONGEST_THREAD = 256;
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/;

/** A tag that may stand in a header of SIP and in an attribute of XML. */
export function languageTag(text: string | undefined): string | undefined {
  const first = text?.split(',')[0]?.trim();
  return first !== undefined && LANGUAGE.test(first) ? first : undefined;
}

export function readChatMessage(stanza: XmlElement): ChatMessage {
  const language = languageTag(stanza.attributes.get('xml:lang'));
  const body = inLanguage(children(stanza, 'body', NS.server), language);
  const subject = inLanguage(children(stanza, 'subject', NS.server), language);
  const thread = child(stanza, 'thread', NS.server);
  const state = chatStates.find((name) => child(stanza, name, CHAT_STATES) !== undefined);
  const received = child(stanza, 'received', RECEIPTS)?.attributes.get('id');
  const type = stanza.attributes.get('type');
  return {
    // RFC 6121 §5.2.2: an unknown type, and none, are normal.
    type: messageTypes.find((known) => known === type) ?? 'normal',
    id: stanza.attributes.get('id'),
    body: body === undefined ? undefined : textOf(body),
    subject: subject === undefined ? undefined : textOf(subject),
    thread: thread === undefined ? undefined : threadOf(textOf(thread)),
    language: languageTag(body?.attributes.get('xml:lang')) ?? language,
    state,
    wantsReceipt: child(stanza, 'request', RECEIPTS) !== undefined,
    received,
  };
}

/** What is longer names nothing: it is remembered for each conversation, so that its length has to have a bound. */
function threadOf(text: string): string | undefined {
  const thread = text.trim();
  return thread === '' || thread.length > LONGEST_THREAD ? undefined : thread;
}

/** Of the same text in several languages, the one of the stanza, else the first (RFC 6121 §5.2.3). */
function inLanguage(texts: readonly XmlElement[], language: string | undefined): XmlElement | undefined {
  const own = texts.find((text) => (text.attributes.get('xml:lang') ?? language) === language);
  return own ?? texts[0];
}

export function writeChatMessage(from: string, to: string, message: ChatMessage): XmlElement {
  const { type, id, body, subject, thread, language, state, wantsReceipt, received } = message;
  const parts: XmlElement[] = [];
  if (subject !== undefined) parts.push(element(NS.server, 'subject', {}, [subject]));
  if (body !== undefined) parts.push(element(NS.server, 'body', {}, [body]));
  if (thread !== undefined) parts.push(element(NS.server, 'thread', {}, [thread]));
  if (state !== undefined) parts.push(element(CHAT_STATES, state));
  if (wantsReceipt === true) parts.push(element(RECEIPTS, 'request'));
  if (received !== undefined) parts.push(element(RECEIPTS, 'received', { id: received }));
  const shown = type === 'normal' ? undefined : type;
  return element(NS.server, 'message', { from, to, id, type: shown, 'xml:lang': language }, parts);
}
