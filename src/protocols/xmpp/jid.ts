/** An address of XMPP (RFC 7622), in the form that comparisons use. */
export interface Jid {
  /** Absent for the address of a domain. */
  readonly local?: string;
  /** Lower case; international names in their `xn--` form. */
  readonly domain: string;
  readonly resource?: string;
}

const MOST_BYTES = 1023;
// RFC 7622 §3.3.1: what a localpart must not hold, besides blanks and controls.
const NOT_IN_LOCAL = /["&'/:<>@\s\p{Cc}\p{Cs}\p{Cn}\p{Zs}]/u;
const NOT_IN_RESOURCE = /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;
const PLAIN_DOMAIN =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** A domain in its canonical form, or undefined if it is none. An IP address is none here: nobody federates by it. */
export function canonicalDomain(text: string): string | undefined {
  if (text.length > MOST_BYTES) return undefined;
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  const ascii = PLAIN_DOMAIN.test(name) ? name : toAscii(name);
  if (ascii === undefined || !PLAIN_DOMAIN.test(ascii)) return undefined;
  return /^[\d.]+$/.test(ascii) ? undefined : ascii;
}

/** UTS #46 by the URL parser of the runtime; the characters with a meaning in URLs are no part of a name. */
function toAscii(name: string): string | undefined {
  if (/[\s/?#@:\\[\]%]/.test(name) || !/[^\0-\x7f]/.test(name)) return undefined;
  return URL.canParse(`http://${name}/`) ? new URL(`http://${name}/`).hostname : undefined;
}

export function parseJid(text: string): Jid | undefined {
  const slash = text.indexOf('/');
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf('@');
  const domain = canonicalDomain(bare.slice(at + 1));
  if (domain === undefined) return undefined;
  const local = at < 0 ? undefined : canonicalLocal(bare.slice(0, at));
  if (at >= 0 && local === undefined) return undefined;
  const resource = slash < 0 ? undefined : canonicalResource(text.slice(slash + 1));
  if (slash >= 0 && resource === undefined) return undefined;
  return {
    ...(local === undefined ? {} : { local }),
    domain,
    ...(resource === undefined ? {} : { resource }),
  };
}

/** UsernameCaseMapped of RFC 8265 §3.3 as far as matters for comparison: width, case, NFC. */
function canonicalLocal(text: string): string | undefined {
  const mapped = text.replace(/[\uff01-\uff5e]/g, (wide) => wide.normalize('NFKC')).toLowerCase();
  const local = mapped.normalize('NFC');
  const fits = local.length > 0 && Buffer.byteLength(local) <= MOST_BYTES;
  return fits && !NOT_IN_LOCAL.test(local) ? local : undefined;
}

function canonicalResource(text: string): string | undefined {
  const resource = text.normalize('NFC');
  const fits = resource.length > 0 && Buffer.byteLength(resource) <= MOST_BYTES;
  return fits && !NOT_IN_RESOURCE.test(resource) ? resource : undefined;
}

export function bareJid({ local, domain }: Jid): string {
  return local === undefined ? domain : `${local}@${domain}`;
}

export function jidText(jid: Jid): string {
  return jid.resource === undefined ? bareJid(jid) : `${bareJid(jid)}/${jid.resource}`;
}
