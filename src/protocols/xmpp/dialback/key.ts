import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What a dialback key is about (XEP-0220 §2.1.1): who asserts a domain to whom, on which stream. */
export interface DialbackSubject {
  /** The domain to which the assertion is made. */
  readonly receiving: string;
  /** The domain that is asserted. */
  readonly originating: string;
  /** The id that the receiving server gave to the stream. */
  readonly streamId: string;
}

/**
 * A dialback key by XEP-0185 §3: nothing has to be remembered to verify it, and every edge that has the secret can.
 * @param secret shared by the edges of a pool
 */
export function dialbackKey(secret: string, { receiving, originating, streamId }: DialbackSubject): string {
  const key = createHash('sha256').update(secret).digest('hex');
  return createHmac('sha256', key).update(`${receiving} ${originating} ${streamId}`).digest('hex');
}

export function isDialbackKey(secret: string, subject: DialbackSubject, key: string): boolean {
  const expected = Buffer.from(dialbackKey(secret, subject));
  const given = Buffer.from(key);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
