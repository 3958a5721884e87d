import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The runtime's own end of a stream of the system, of TLS or of HTTP/2, as far as reading into a buffer of ours needs it. */
interface ReadHandle {
  /** From now on everything is read into `buffer`, which has to live for as long as the process. */
  useUserBuffer(buffer: Buffer): void;
}

/** As much as the system is asked for at a time; TLS gives a quarter of it, its longest record. */
const READ_BYTES = 65_536;

/**
 * One for all streams of the process: what was read is told before anything else can be read. Never freed: handles know its
 * address, not its owner.
 */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * Where the runtime keeps what its option `onread` says, which it takes only for sockets that it connects itself; undefined when
 * it is made differently.
 */
const places = (() => {
  const symbols = Object.getOwnPropertySymbols(new Socket());
  const named = (name: string) => symbols.find(({ description }) => description === name);
  const [buffer, receive, next] = [named('kBuffer'), named('kBufferCb'), named('kBufferGen')];
  if (buffer === undefined || receive === undefined || next === undefined) return undefined;
  return { buffer, receive, next };
})();

/**
 * What is read of an open stream comes in memory that is used over and over, in place of a new buffer each time: for bytes that are
 * only passed on, collecting those buffers is a quarter of the work (`bench:psom`). A stream that is
 * paused may still give what TLS has decrypted.
 * @param receive has done with the chunk when it returns
 * @returns false: something was read and waits, or this stream or this runtime does not let anybody; all goes on as before
 */
export function borrowReads(stream: Duplex, receive: (chunk: Buffer) => void): boolean {
  const handle = handleOf(stream);
  if (places === undefined || handle === undefined || stream.destroyed) return false;
  // What waits in the stream would be told after what comes later.
  if (stream.readableLength > 0) return false;
  Reflect.set(stream, places.receive, (count: number) => {
    receive(shared.subarray(0, count));
    return true;
  });
  Reflect.set(stream, places.next, null);
  Reflect.set(stream, places.buffer, shared);
  handle.useUserBuffer(shared);
  return true;
}

function handleOf(stream: Duplex): ReadHandle | undefined {
  const own: unknown = Reflect.get(stream, '_handle');
  if (isReadHandle(own)) return own;
  for (const symbol of Object.getOwnPropertySymbols(stream)) {
    const value: unknown = Reflect.get(stream, symbol);
    if (isReadHandle(value)) return value;
  }
  return undefined;
}

function isReadHandle(value: unknown): value is ReadHandle {
  return (
    typeof value === 'object' && value !== null && typeof Reflect.get(value, 'useUserBuffer') === 'function'
  );
}
