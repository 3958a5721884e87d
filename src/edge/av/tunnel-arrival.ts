import type { Clock } from '#kernel';
import type { HalfOpenConnection } from '#platform/net';
import { tunnelOpeningBytes } from '#protocols/turn';

export interface TunnelArrivalOptions {
  readonly clock: Clock;
  /** Milliseconds for the opening to be complete. */
  readonly patienceMs: number;
  /** Takes over the connection, nothing of which is read any more; what followed the opening is `rest`. */
  take(opening: Buffer, rest: Buffer): void;
}

/** Reads the opening of another edge's connection (docs/protocols/edge-tunnel.md); closes it when none comes. */
export function readTunnelOpening(connection: HalfOpenConnection, options: TunnelArrivalOptions): void {
  let bytes: Buffer = Buffer.alloc(0);
  const cancel = options.clock.after(options.patienceMs, () => connection.destroy('timeout'));
  connection.onClose = cancel;
  connection.onData = (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    const length = tunnelOpeningBytes(bytes);
    if (length === 'malformed') connection.destroy('protocol');
    if (typeof length !== 'number' || bytes.length < length) return;
    cancel();
    connection.onData = () => {};
    connection.pause();
    options.take(bytes.subarray(0, length), bytes.subarray(length));
  };
}
