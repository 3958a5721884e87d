import assert from 'node:assert/strict';
import { parseSipMessage, type SipMessage, SipRequest, SipResponse, sipLimits } from '#protocols/sip';

/** A message written as lines; an empty line begins the body. Content-Length is added. */
export function sipText(lines: readonly string[], body = ''): Buffer {
  return Buffer.from([...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
}

export function parsed(bytes: Buffer): SipMessage {
  const message = parseSipMessage(bytes, sipLimits);
  assert.ok(message.ok, `not a SIP message: ${JSON.stringify(message)}\n${bytes.toString()}`);
  return message.value;
}
export function asRequest(bytes: Buffer): SipRequest {
  const message = parsed(bytes);
  assert.ok(message instanceof SipRequest);
  return message;
}
export function asResponse(bytes: Buffer): SipResponse {
  const message = parsed(bytes);
  assert.ok(message instanceof SipResponse);
  return message;
}

/** A request with what every request has; `change` adds or replaces header fields, undefined takes one away. */
export function request(
  method: string,
  uri: string,
  change: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  body = '',
): Buffer {
  const fields: Record<string, string | readonly string[] | undefined> = {
    Via: 'SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bKclient1;rport',
    'Max-Forwards': '70',
    From: '<sip:alice@example.com>;tag=a1',
    To: '<sip:carol@example.com>',
    'Call-ID': 'call1',
    CSeq: `1 ${method}`,
    ...change,
  };
  const lines = [`${method} ${uri} SIP/2.0`];
  for (const [name, value] of Object.entries(fields)) {
    for (const one of value === undefined ? [] : [value].flat()) lines.push(`${name}: ${one}`);
  }
  return sipText(lines, body);
}
