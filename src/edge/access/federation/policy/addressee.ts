import { parseSipUri } from '#protocols/sip';

/**
 * Whom of ours a URI names, as `user@host` in the one spelling by which users are counted and compared: without escapes
 * and in lower case, since that is one user to whoever delivers. Neither a password nor parameters make another user of
 * somebody. Undefined for what names nobody.
 */
export function addressee(uri: string): string | undefined {
  const parsed = parseSipUri(uri);
  if (!parsed.ok || parsed.value.user === undefined) return undefined;
  return `${unescaped(parsed.value.user).toLowerCase()}@${parsed.value.host}`;
}

/** `%61lice` is `alice` as well (RFC 3261 §19.1.4). */
export function unescaped(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
