import { err, ok, type Result } from '#kernel';
import type { AttributeType } from '../attribute-types.ts';
import type { AddressFamily } from '../ip-address.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { writeU32 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** ADDITIONAL-ADDRESS-FAMILY by the number that it had in drafts; clients of coturn 4.6 send it by no other. */
export const DRAFT_ADDITIONAL_ADDRESS_FAMILY = 0x8032;

type FamilyAttribute =
  | typeof AttributeType.RequestedAddressFamily
  | typeof AttributeType.AdditionalAddressFamily
  | typeof DRAFT_ADDITIONAL_ADDRESS_FAMILY;

/**
 * REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.6) and ADDITIONAL-ADDRESS-FAMILY (§18.11). A family that nobody has
 * heard of is 'unsupported', which is another answer (440) than a malformed attribute (400).
 */
export function decodeAddressFamily(
  message: StunMessage,
  type: FamilyAttribute,
): Result<AddressFamily, AttributeFault | 'unsupported'> {
  const at = message.find(type);
  if (at < 0) return err('absent');
  if (message.lengthAt(at) !== 4) return err('malformed');
  const family = message.bytes[at + 4];
  if (family === 1) return ok('ipv4');
  return family === 2 ? ok('ipv6') : err('unsupported');
}

export function encodeAddressFamily(writer: StunWriter, type: FamilyAttribute, family: AddressFamily): void {
  writeU32(writer.buffer, writer.reserve(type, 4), family === 'ipv4' ? 0x01000000 : 0x02000000);
}
