import { createHash } from 'node:crypto';

const CALL_ID = /^[A-Za-z0-9\-.!%*_+`'~]{1,128}(?:@[A-Za-z0-9\-.!%*_+`'~]{1,128})?$/;

/** RFC 7572 §4: the thread is the Call-ID where it can be one, and otherwise stands for one. */
export function callIdOf(thread: string): string {
  return CALL_ID.test(thread) ? thread : createHash('sha256').update(thread).digest('hex').slice(0, 32);
}
