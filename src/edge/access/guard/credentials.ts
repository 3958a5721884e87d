import { digestAlgorithm, digestHash, parseAuthParameters } from '#protocols/sip';
import { parseNtlm } from './ntlm.ts';

/** What one value of Authorization or Proxy-Authorization says about who sent it. */
export interface Credentials {
  /** Lower case. */
  readonly scheme: string;
  /** As written; empty where it is not said. */
  readonly realm: string;
  /** As written, without its quotes; undefined for schemes that hide it. */
  readonly username: string | undefined;
  /** The same for readers that leave the backslashes in a quoted name, where it has any: `CORP\\bob`. */
  readonly unread?: string | undefined;
  /**
   * `password`: may be a guess. `key`: right only for who has a key or a ticket, which nobody guesses. `nothing`: asks to be
   * challenged.
   */
  readonly proof: 'password' | 'key' | 'nothing';
}

/** Schemes that hide who it is, and that no password can be tried with. */
const KEYED: ReadonlySet<string> = new Set(['bearer', 'kerberos', 'tls-dsk']);
const SCHEME = /^([!%'*+.`~\w-]+)(?:[ \t]+|$)/;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const QUOTED_NAME = /[\s,]username\s*=\s*"((?:[^"\\]|\\.)*)"/i;
/** What would begin the next credentials, for who reads several from one line. */
const SECOND_SCHEME = /,[ \t]*[^\s=,]+[ \t]+[^\s=,]/;
const DATA = /\bgssapi-data\s*=\s*(?:"([^"]*)"|([^",\s]*))/gi;
const SIGNED = /\bresponse\s*=/i;

/**
 * Undefined for what two readers could understand differently: not by the grammar, with a parameter given twice, without or
 * with two names of a user (RFC 7616 §3.4), or with the hash of a name that is not the sender's.
 * @param sender names that the user behind a `userhash` may have
 */
export function parseProof(text: string, sender: () => readonly string[]): Credentials | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  return scheme === 'digest' ? digest(text, sender) : other(scheme, text);
}

function digest(text: string, sender: () => readonly string[]): Credentials | undefined {
  const parsed = parseAuthParameters(text);
  if (!parsed.ok) return undefined;
  const parameters = parsed.value;
  const realm = parameters.get('realm') ?? '';
  const username = nameIn(parameters, realm, sender);
  if (username === undefined) return undefined;
  // Clients of some networks say who they are before they are asked, with an empty response.
  const proof = (parameters.get('response') ?? '') === '' ? 'nothing' : 'password';
  const unread = text.includes('\\') ? QUOTED_NAME.exec(text)?.[1] : undefined;
  return { scheme: 'digest', realm, username, ...(unread === undefined ? {} : { unread }), proof };
}

function nameIn(
  parameters: ReadonlyMap<string, string>,
  realm: string,
  sender: () => readonly string[],
): string | undefined {
  const plain = parameters.get('username');
  const extended = parameters.get('username*');
  if (extended !== undefined) return plain === undefined ? decodeExtended(extended) : undefined;
  if (plain === undefined || parameters.get('userhash')?.toLowerCase() !== 'true') return plain;
  const algorithm = digestAlgorithm(parameters.get('algorithm') ?? 'MD5');
  if (algorithm === undefined) return undefined;
  const hashed = plain.toLowerCase();
  return sender().find((name) => digestHash(algorithm, `${name}:${realm}`) === hashed);
}

/** RFC 8187 §3.2.1, in UTF-8 as RFC 7616 §3.4 wants it. */
function decodeExtended(text: string): string | undefined {
  const encoded = /^utf-8'[\w-]*'(.*)$/i.exec(text)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** Of another scheme, which the next hop may know: what cannot be told apart from a guess is one. */
function other(scheme: string, text: string): Credentials | undefined {
  const bare = text.replace(QUOTED, '""');
  if (bare.replaceAll('""', '').includes('"') || SECOND_SCHEME.test(bare)) return undefined;
  const steps = [...text.matchAll(DATA)].map(([, quoted, plain]) => (quoted ?? plain ?? '').trim());
  if (steps.length > 1) return undefined;
  const hidden = { scheme, realm: '', username: undefined };
  const [step] = steps;
  const signed = SIGNED.test(text);
  if (step === '' && !signed) return { ...hidden, proof: 'nothing' };
  // Without a step of a sign-in, it is the signature of an association that stands.
  if (KEYED.has(scheme) || (scheme === 'ntlm' && (step ?? '') === '' && signed)) {
    return { ...hidden, proof: 'key' };
  }
  const message = scheme === 'ntlm' ? parseNtlm(step ?? '') : undefined;
  if (message?.kind === 'negotiates') return { ...hidden, proof: 'nothing' };
  if (message === undefined) return { ...hidden, proof: 'password' };
  return { scheme, realm: message.domain, username: message.user, proof: 'password' };
}
