import { err, ok, type Result } from '#kernel';
import type { AttributeFault, StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

/*
 * EDGE-VERSION, an attribute of our own, of the range in which nobody has to understand it (docs/protocols/edge-tunnel.md).
 * With it one A/V Edge asks another, in a Binding, whether the two can speak relay to relay.
 */
export const EDGE_VERSION_ATTRIBUTE = 0xc7e1;
/** The only version so far. */
export const EDGE_VERSION = 1;
export const EDGE_COOKIE_BYTES = 8;

const PROBE_COOKIE_AT = 4;
const TUNNEL_COOKIE_AT = PROBE_COOKIE_AT + EDGE_COOKIE_BYTES;
const ANSWER_BYTES = TUNNEL_COOKIE_AT + EDGE_COOKIE_BYTES;
/** A question is filled up, so that no answer to it is longer than itself. */
const QUESTION_BYTES = 60;

export interface EdgeVersion {
  readonly version: number;
  /** The asker's, sent back. A view. */
  readonly probeCookie: Uint8Array;
  /** The answerer's; zeros in a question. A view. */
  readonly tunnelCookie: Uint8Array;
}

/** Of a question (`least` octets are asked for) or an answer. */
function decode(message: StunMessage, least: number): Result<EdgeVersion, AttributeFault> {
  const value = message.value(EDGE_VERSION_ATTRIBUTE);
  if (value === undefined) return err('absent');
  if (value.length < least) return err('malformed');
  return ok({
    version: value[0] ?? 0,
    probeCookie: value.subarray(PROBE_COOKIE_AT, TUNNEL_COOKIE_AT),
    tunnelCookie: value.subarray(TUNNEL_COOKIE_AT, ANSWER_BYTES),
  });
}

export function decodeEdgeQuestion(message: StunMessage): Result<EdgeVersion, AttributeFault> {
  return decode(message, QUESTION_BYTES);
}

export function decodeEdgeAnswer(message: StunMessage): Result<EdgeVersion, AttributeFault> {
  return decode(message, ANSWER_BYTES);
}

export function encodeEdgeQuestion(writer: StunWriter, probeCookie: Uint8Array): void {
  encode(writer, QUESTION_BYTES, probeCookie);
}

export function encodeEdgeAnswer(
  writer: StunWriter,
  probeCookie: Uint8Array,
  tunnelCookie: Uint8Array,
): void {
  const at = encode(writer, ANSWER_BYTES, probeCookie);
  writer.buffer.set(tunnelCookie, at + TUNNEL_COOKIE_AT);
}

function encode(writer: StunWriter, length: number, probeCookie: Uint8Array): number {
  const at = writer.reserve(EDGE_VERSION_ATTRIBUTE, length);
  writer.buffer.fill(0, at, at + length);
  writer.buffer[at] = EDGE_VERSION;
  writer.buffer.set(probeCookie, at + PROBE_COOKIE_AT);
  return at;
}
