const SIGNATURE = 'NTLMSSP\0';
const TYPE = 8;
const DOMAIN = 28;
const USER = 36;
const FLAGS = 60;
/** NTLMSSP_NEGOTIATE_UNICODE */
const UNICODE = 1;

export type NtlmMessage =
  /** It asks, or is asked: no password is behind it. */
  | { readonly kind: 'negotiates' }
  | { readonly kind: 'authenticates'; readonly user: string; readonly domain: string };

/**
 * Whom the third message of NTLM names ([MS-SIPAE] §3.2.5.1 brings it in `gssapi-data`), which is who is locked out when the
 * password is wrong. Undefined for what is no NTLM.
 */
export function parseNtlm(data: string): NtlmMessage | undefined {
  const octets = Buffer.from(data, 'base64');
  if (octets.length < TYPE + 4 || octets.toString('latin1', 0, TYPE) !== SIGNATURE) return undefined;
  const type = octets.readUInt32LE(TYPE);
  if (type === 1) return { kind: 'negotiates' };
  if (type !== 3 || octets.length < FLAGS + 4) return undefined;
  const unicode = (octets.readUInt32LE(FLAGS) & UNICODE) !== 0;
  const user = fieldAt(octets, USER, unicode);
  const domain = fieldAt(octets, DOMAIN, unicode);
  return user === undefined || domain === undefined ? undefined : { kind: 'authenticates', user, domain };
}

/** Length, room and offset of a text that stands behind the fields. */
function fieldAt(octets: Buffer, at: number, unicode: boolean): string | undefined {
  const length = octets.readUInt16LE(at);
  const start = octets.readUInt32LE(at + 4);
  if (start + length > octets.length) return undefined;
  return octets.toString(unicode ? 'utf16le' : 'latin1', start, start + length);
}
