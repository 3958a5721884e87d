import { StringDecoder } from 'node:string_decoder';

/** Splits a stream into lines; a longer line than `limit` characters is cut. The last one needs no newline. */
export function forwardLines(
  stream: NodeJS.ReadableStream,
  limit: number,
  onLine: (line: string) => void,
): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = (parts.pop() ?? '').slice(0, limit);
    for (const part of parts) onLine(part.slice(0, limit));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => {});
}
