import { textOfHtml } from './html-text.ts';
import { decodeText, type MediaType, parseMediaType, partsOf } from './mime.ts';
import { CPIM_TYPE, IMDN_TYPE, openEnvelope, readDelivered } from './receipts.ts';
import { KEYBOARD_TYPE, readKeyboard, readTyping, TYPING_TYPE, type Typing } from './typing.ts';

/** What the body of a SIP MESSAGE (or INFO) says. */
export type InstantMessage =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** RFC 5438: its sender wants to hear of its delivery, by this id. */
      readonly receiptFor?: string | undefined;
    }
  | { readonly kind: 'typing'; readonly typing: Typing }
  /** The notification that this message of the XMPP side was delivered. */
  | { readonly kind: 'delivered'; readonly id: string }
  /** A notification that says something else, such as that it failed: understood, and nothing to pass on. */
  | { readonly kind: 'nothing' };

/** What the gateway reads, for Accept in answers of 415. */
export const ACCEPTED_TYPES = `text/plain, text/html, multipart/alternative, ${CPIM_TYPE}, ${TYPING_TYPE}, ${IMDN_TYPE}`;

/** RFC 7572 §7: the body by its media type; undefined is to be answered with 415. */
export function readInstantMessage(
  contentType: string | undefined,
  body: Buffer,
): InstantMessage | undefined {
  const type = parseMediaType(contentType ?? 'text/plain');
  if (type === undefined) return undefined;
  if (type.type !== CPIM_TYPE) return readBody(type, body);
  const envelope = openEnvelope(body);
  if (envelope === undefined) return undefined;
  const inside = readBody(envelope.type, envelope.body);
  if (inside?.kind !== 'text' || !envelope.wantsDelivery) return inside;
  return { ...inside, receiptFor: envelope.messageId };
}

function readBody(type: MediaType, body: Buffer): InstantMessage | undefined {
  switch (type.type) {
    case 'text/plain':
    case 'text/html':
      return readText(type, body);
    case 'multipart/alternative':
      return readAlternatives(type, body);
    case TYPING_TYPE: {
      const typing = readTyping(body);
      return typing === undefined ? undefined : { kind: 'typing', typing };
    }
    case KEYBOARD_TYPE: {
      const typing = readKeyboard(body);
      return typing === undefined ? undefined : { kind: 'typing', typing };
    }
    case IMDN_TYPE: {
      const id = readDelivered(body);
      return id === undefined ? { kind: 'nothing' } : { kind: 'delivered', id };
    }
    default:
      return undefined;
  }
}

function readText(type: MediaType, body: Buffer): InstantMessage | undefined {
  const text = decodeText(body, type);
  if (text === undefined) return undefined;
  return { kind: 'text', text: type.type === 'text/html' ? textOfHtml(text) : text };
}

/** RFC 2046 §5.1.4: the parts say the same; plain text needs no reading. */
function readAlternatives({ parameters }: MediaType, body: Buffer): InstantMessage | undefined {
  const parts = partsOf(body, parameters.get('boundary') ?? '');
  for (const wanted of ['text/plain', 'text/html']) {
    for (const part of parts ?? []) {
      const type = parseMediaType(part.headers.get('content-type') ?? 'text/plain');
      const plain = /^(?:7bit|8bit|binary)?$/i.test(part.headers.get('content-transfer-encoding') ?? '');
      if (type?.type === wanted && plain) return readText(type, part.body);
    }
  }
  return undefined;
}
