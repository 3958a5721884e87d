import { hash } from 'node:crypto';

const DIGITS = 16;

/**
 * The id that joins what belongs to one matter over services and edges, without telling what it is made of: of a Call-ID
 * for signalling, of the account of a media credential for relays. The same everywhere for the same text.
 */
export function traceOf(text: string): string {
  return hash('sha256', text, 'hex').slice(0, DIGITS);
}
