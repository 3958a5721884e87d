export { Buffer } from 'buffer';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** As of node:buffer. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
