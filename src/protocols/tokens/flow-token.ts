import { err, ok, type Result } from '#kernel';
import { openToken, sealToken, type TokenError, type TokenKeys } from './token.ts';

/**
 * Names one connection of one worker of one edge, so that a request which comes back with the token goes down
 * that very connection (RFC 5626 §5.2).
 */
export interface FlowToken {
  /** Index of the edge in its pool, 0..65535. */
  readonly node: number;
  /** Index of the worker process, 0..65535. */
  readonly worker: number;
  /** Connection.id, 0..2^48-1. */
  readonly connection: number;
  /** Drawn at random for each connection, 0..2^48-1: an id used again after a restart does not match. */
  readonly nonce: number;
}

const PURPOSE = 'flow';
const VERSION = 1;
const BYTES = 17;
const UINT16 = 2 ** 16;
const UINT48 = 2 ** 48;

/** @throws RangeError when a field is out of its range */
export function encodeFlowToken(keys: TokenKeys, flow: FlowToken): string {
  for (const field of [flow.node, flow.worker]) checkRange(field, UINT16);
  for (const field of [flow.connection, flow.nonce]) checkRange(field, UINT48);
  const payload = Buffer.allocUnsafe(BYTES);
  payload[0] = VERSION;
  payload.writeUInt16BE(flow.node, 1);
  payload.writeUInt16BE(flow.worker, 3);
  payload.writeUIntBE(flow.connection, 5, 6);
  payload.writeUIntBE(flow.nonce, 11, 6);
  return sealToken(keys, PURPOSE, payload);
}

export function decodeFlowToken(keys: TokenKeys, token: string): Result<FlowToken, TokenError> {
  const opened = openToken(keys, PURPOSE, token);
  if (!opened.ok) return opened;
  const payload = opened.value;
  if (payload.length !== BYTES || payload[0] !== VERSION) return err('malformed');
  return ok({
    node: payload.readUInt16BE(1),
    worker: payload.readUInt16BE(3),
    connection: payload.readUIntBE(5, 6),
    nonce: payload.readUIntBE(11, 6),
  });
}

function checkRange(value: number, bound: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= bound)
    throw new RangeError(`${value} is out of range`);
}
