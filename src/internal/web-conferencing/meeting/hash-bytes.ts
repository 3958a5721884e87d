/** A hash as PSOM has it. */
export function hashBytes(hash: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hash, 'hex'));
}
