import { child, element, readXmlDocument, textOf, writeXmlDocument } from '#protocols/xml';
import { type MediaType, type MimePart, parseMediaType, partOf } from './mime.ts';
import { smallDocument } from './typing.ts';

export const CPIM_TYPE = 'message/cpim';
export const IMDN_TYPE = 'message/imdn+xml';
const NAMESPACE = 'urn:ietf:params:xml:ns:imdn';
const LONGEST_ID = 256;

/** A message in its envelope (RFC 3862). */
export interface Enveloped {
  readonly type: MediaType;
  readonly body: Buffer;
  /** RFC 5438 §6.3: the id that notifications name. */
  readonly messageId: string | undefined;
  /** RFC 5438 §6.4: the sender asks for a notification of delivery. */
  readonly wantsDelivery: boolean;
  readonly headers: MimePart['headers'];
}

export function openEnvelope(body: Buffer): Enveloped | undefined {
  const outer = partOf(body.toString('latin1'));
  const inner = outer === undefined ? undefined : partOf(outer.body.toString('latin1'));
  if (outer === undefined || inner === undefined) return undefined;
  const type = parseMediaType(inner.headers.get('content-type') ?? 'text/plain');
  if (type === undefined) return undefined;
  // RFC 5438 §6: the prefix is what the NS header says; those of all known clients say `imdn`.
  const id = outer.headers.get('imdn.message-id');
  const asked = outer.headers.get('imdn.disposition-notification') ?? '';
  return {
    type,
    body: inner.body,
    messageId: id !== undefined && id !== '' && id.length <= LONGEST_ID ? id : undefined,
    wantsDelivery: asked
      .split(',')
      .map((item) => item.trim().toLowerCase())
      .includes('positive-delivery'),
    headers: outer.headers,
  };
}

/** RFC 5438 §7.2.1: "delivered", for the message with this id, in its envelope. */
export function writeDelivered(message: {
  readonly from: string;
  readonly to: string;
  readonly id: string;
  readonly ownId: string;
  /** RFC 3339. */
  readonly at: string;
}): Buffer {
  const status = element(NAMESPACE, 'status', {}, [element(NAMESPACE, 'delivered')]);
  const document = writeXmlDocument(
    element(NAMESPACE, 'imdn', {}, [
      element(NAMESPACE, 'message-id', {}, [message.id]),
      element(NAMESPACE, 'datetime', {}, [message.at]),
      element(NAMESPACE, 'delivery-notification', {}, [status]),
    ]),
  );
  const outer = [
    `From: <${message.from}>`,
    `To: <${message.to}>`,
    'NS: imdn <urn:ietf:params:imdn>',
    `imdn.Message-ID: ${message.ownId}`,
    `DateTime: ${message.at}`,
  ];
  const inner = [
    `Content-Type: ${IMDN_TYPE}`,
    'Content-Disposition: notification',
    `Content-Length: ${document.length}`,
  ];
  return Buffer.concat([Buffer.from(`${outer.join('\r\n')}\r\n\r\n${inner.join('\r\n')}\r\n\r\n`), document]);
}

/** The id of the message that a notification says was delivered or displayed; undefined for any other. */
export function readDelivered(body: Uint8Array): string | undefined {
  const document = readXmlDocument(body, smallDocument);
  if (!document.ok || document.value.namespace !== NAMESPACE) return undefined;
  const id = child(document.value, 'message-id', NAMESPACE);
  for (const kind of ['delivery-notification', 'display-notification']) {
    const status = child(child(document.value, kind, NAMESPACE) ?? document.value, 'status', NAMESPACE);
    if (status === undefined || id === undefined) continue;
    const good = child(status, 'delivered', NAMESPACE) ?? child(status, 'displayed', NAMESPACE);
    const text = textOf(id).trim();
    if (good !== undefined && text !== '' && text.length <= LONGEST_ID) return text;
  }
  return undefined;
}
