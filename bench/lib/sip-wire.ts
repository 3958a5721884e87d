import type { TLSSocket } from 'node:tls';

/**
 * The least SIP that a load generator can do with: messages cut out of a stream, and answers made by copying
 * header lines. Written apart from the product on purpose, so that the load is not made by what it measures.
 */
export interface WireMessage {
  /** Start line and header lines, without the empty line. */
  readonly lines: readonly string[];
}

/** Calls `handle` for each message of the stream. */
export function readMessages(socket: TLSSocket, handle: (message: WireMessage) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const blank = rest.indexOf('\r\n\r\n');
      if (blank < 0) return;
      if (blank === 0) {
        rest = rest.subarray(4);
        socket.write('\r\n');
        continue;
      }
      const head = rest.toString('latin1', 0, blank);
      const length = Number(/\r\n(?:Content-Length|l)\s*:\s*(\d+)/i.exec(head)?.[1] ?? 0);
      const end = blank + 4 + length;
      if (rest.length < end) return;
      rest = rest.subarray(end);
      handle({ lines: head.replace(/^(?:\r\n)+/, '').split('\r\n') });
    }
  });
}

export function headerValue(message: WireMessage, name: string): string | undefined {
  const prefix = `${name.toLowerCase()}:`;
  const line = message.lines.find((candidate) => candidate.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length).trim();
}

const COPIED = /^(?:Via|v|From|f|To|t|Call-ID|i|CSeq|Record-Route)\s*:/i;

/** A response by RFC 3261 §8.2.6; `extra` are whole header lines. */
export function answer(
  message: WireMessage,
  status: string,
  tag: string,
  extra: readonly string[] = [],
): string {
  const copied = message.lines
    .filter((line) => COPIED.test(line))
    .map((line) => (/^(?:To|t)\s*:/i.test(line) && !/;tag=/i.test(line) ? `${line};tag=${tag}` : line));
  return [`SIP/2.0 ${status}`, ...copied, ...extra, 'Content-Length: 0', '', ''].join('\r\n');
}
