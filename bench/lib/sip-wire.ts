import type { TLSSocket } from 'node:tls';

/*
 * The least SIP that a load generator can do with. Written apart from the product on purpose, so that the load is
 * not made by what it measures; and cheap, so that the load is not what is measured.
 */

const HEAD_END = '\r\n\r\n';

/** Calls `handle` with start line and header lines, as one text, of each message of the stream. */
export function readHeads(socket: TLSSocket, handle: (head: string) => void): void {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    // latin1 keeps one character a byte, so lengths are bytes; whatever UTF-8 there is passes unread.
    rest += chunk.toString('latin1');
    let start = 0;
    for (;;) {
      const blank = rest.indexOf(HEAD_END, start);
      if (blank < 0) break;
      if (blank === start) {
        // RFC 5626 §4.4.1: a ping between messages, and its pong.
        socket.write('\r\n');
        start += HEAD_END.length;
        continue;
      }
      const head = rest.slice(start, blank + 2);
      const end = blank + HEAD_END.length + contentLength(head);
      if (rest.length < end) break;
      start = end;
      handle(head.startsWith('\r\n') ? head.slice(2) : head);
    }
    rest = rest.slice(start);
  });
}

function contentLength(head: string): number {
  return Number(/\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d+)/i.exec(head)?.[1] ?? 0);
}

/** First line of that name in a head, without the name. */
export function headerValue(head: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}[ \t]*:[ \t]*([^\r]*)`, 'i').exec(head)?.[1];
}

/** A 200 by RFC 3261 §8.2.6; `extra` are whole header lines. */
export function accepted(head: string, tag: string, extra: readonly string[] = []): string {
  return response('200 OK', head, tag, extra);
}

/** What a registrar says to a REGISTER: who are you, and once it knows, yes. Any answer is as good as another here. */
export function registered(head: string, tag: string): string {
  if (headerValue(head, 'Authorization') === undefined) {
    return response('401 Unauthorized', head, tag, [`WWW-Authenticate: ${CHALLENGE}`]);
  }
  return accepted(head, tag, [`Contact: ${headerValue(head, 'Contact')};expires=3600`, 'Expires: 3600']);
}

function response(status: string, head: string, tag: string, extra: readonly string[]): string {
  let text = `SIP/2.0 ${status}\r\n`;
  let start = head.indexOf('\r\n') + 2;
  while (start < head.length) {
    const end = head.indexOf('\r\n', start);
    const line = head.slice(start, end);
    start = end + 2;
    if (!COPIED.test(line)) continue;
    text += TO.test(line) && !line.includes(';tag=') ? `${line};tag=${tag}\r\n` : `${line}\r\n`;
  }
  for (const line of extra) text += `${line}\r\n`;
  return `${text}Content-Length: 0\r\n\r\n`;
}

const CHALLENGE =
  'Digest realm="bench.test", nonce="5f0c1d9e8b7a6c5d4e3f2a1b0c9d8e7f", algorithm=MD5, qop="auth", opaque="bench"';
const COPIED = /^(?:Via|From|To|Call-ID|CSeq|Record-Route|[vfti])[ \t]*:/i;
const TO = /^(?:To|t)[ \t]*:/i;
