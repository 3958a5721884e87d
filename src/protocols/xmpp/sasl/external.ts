import { canonicalDomain } from '../jid.ts';

/**
 * The domain that `<auth mechanism='EXTERNAL'/>` asks to speak for (XEP-0178 §3 step 9): base64 of it, or `=` for the one
 * of the stream header. Undefined for what is neither.
 */
export function decodeAuthorizationIdentity(text: string, ofHeader: string): string | undefined {
  const data = text.trim();
  // An absent initial response means the same here: EXTERNAL has nothing to challenge for.
  if (data === '=' || data === '') return ofHeader;
  if (data.length > 1400 || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return undefined;
  return canonicalDomain(Buffer.from(data, 'base64').toString('utf8'));
}

export function encodeAuthorizationIdentity(domain: string): string {
  return Buffer.from(domain, 'utf8').toString('base64');
}
