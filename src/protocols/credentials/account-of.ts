import { readUsername } from './rest.ts';
import { accountOfToken } from './token.ts';

/**
 * Whose credential a USERNAME belongs to, in the words of the verifiers, without asking whether it is good: for logs, which
 * join what one account did. Undefined for a name of neither form, which may be an account of the document.
 */
export function accountOf(username: Uint8Array): string | undefined {
  const token = accountOfToken(username);
  if (token !== undefined) return token;
  const rest = readUsername(username);
  return rest === undefined ? undefined : `rest:${rest.user}`;
}
