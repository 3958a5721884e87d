import { isIP } from 'node:net';

/** The identities that a certificate asserts in its subjectAltName, typed; the common name is never one of them. */
export interface CertificateNames {
  /** dNSName, lower case, without a trailing dot; may begin with `*.`. */
  readonly dns: readonly string[];
  /** iPAddress in canonical text. */
  readonly ip: readonly string[];
  /** uniformResourceIdentifier as written (RFC 5922 §7.1 uses `sip:` ones). */
  readonly uri: readonly string[];
  /** id-on-xmppAddr (RFC 6120 §13.7.1.4). */
  readonly xmpp: readonly string[];
  /** id-on-dnsSRV (RFC 4985), for example `_sips.example.com`. */
  readonly srv: readonly string[];
}

/** How a presented name may match an expected one. */
export interface NamePolicy {
  /** Accept `*.example.com` for one leftmost label (RFC 9525 §6.3). Never set it for internal peers. */
  readonly wildcards: boolean;
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A host name in the one form that comparisons use (lower case, no trailing dot), or undefined if it is none. */
export function canonicalHostName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0 || name.length > 253) return undefined;
  for (const label of name.split('.')) if (!LABEL.test(label)) return undefined;
  return name;
}

/**
 * A dNSName as a certificate may hold it: a host name, or `*.` before at least two labels (RFC 9525 §6.3).
 * Anything else (partial wildcards, blanks, NUL, U-labels) is no name at all.
 */
export function canonicalPresentedName(text: string): string | undefined {
  if (!text.startsWith('*.')) return canonicalHostName(text);
  const parent = canonicalHostName(text.slice(2));
  return parent?.includes('.') ? `*.${parent}` : undefined;
}

/**
 * The first of `expected` (host names or IP addresses) that the certificate asserts, in the
 * order of `expected`; undefined if none (RFC 9525 §6).
 */
export function matchName(
  names: CertificateNames,
  expected: readonly string[],
  policy: NamePolicy = { wildcards: false },
): string | undefined {
  for (const wanted of expected) {
    const address = canonicalAddress(wanted);
    if (address !== undefined) {
      if (names.ip.includes(address)) return wanted;
      continue;
    }
    const host = canonicalHostName(wanted);
    if (host !== undefined && matchesHost(names.dns, host, policy)) return wanted;
  }
  return undefined;
}

function matchesHost(presented: readonly string[], host: string, policy: NamePolicy): boolean {
  if (presented.includes(host)) return true;
  if (!policy.wildcards) return false;
  const dot = host.indexOf('.');
  return dot > 0 && presented.includes(`*${host.slice(dot)}`);
}

/** An IP address in the text form of RFC 5952, or undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family !== 6 || text.includes('%')) return undefined;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
