import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import { FIRST_CHANNEL, LAST_ACCEPTED_CHANNEL } from '../channel-data.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU16, writeU32 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** CHANNEL-NUMBER, RFC 8656 §18.1: sixteen bits of number, sixteen that are ignored. */
export function decodeChannelNumber(message: StunMessage): Result<number, AttributeFault> {
  const at = message.find(AttributeType.ChannelNumber);
  if (at < 0) return err('absent');
  return message.lengthAt(at) === 4 ? ok(readU16(message.bytes, at + 4)) : err('malformed');
}

export function encodeChannelNumber(writer: StunWriter, channel: number): void {
  writeU32(writer.buffer, writer.reserve(AttributeType.ChannelNumber, 4), channel * 0x10000);
}

/** Whether a client may bind this number (RFC 8656 §12). */
export function checkChannelNumber(channel: number): boolean {
  return channel >= FIRST_CHANNEL && channel <= LAST_ACCEPTED_CHANNEL;
}
