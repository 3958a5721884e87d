import { err, ok, type Result } from '#kernel';
import { type DigestAlgorithm, digestAlgorithm } from './algorithm.ts';
import { type DigestProblem, formatAuthParameters, parseAuthParameters } from './auth-parameters.ts';
import type { QualityOfProtection } from './challenge.ts';

/** The value of Authorization or Proxy-Authorization (RFC 7616 §3.4, RFC 3261 §22). */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hexadecimal, as sent. */
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  /** With qop there are always cnonce and nc; without it (older clients, RFC 3261 §22.4) never nc. */
  readonly qop?: QualityOfProtection | undefined;
  readonly cnonce?: string | undefined;
  /** 1..2^32-1 */
  readonly nc?: number | undefined;
  readonly opaque?: string | undefined;
}

export function parseCredentials(text: string): Result<DigestCredentials, DigestProblem> {
  const parsed = parseAuthParameters(text);
  if (!parsed.ok) return parsed;
  const parameters = parsed.value;
  const username = parameters.get('username');
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response');
  if (username === undefined || realm === undefined || nonce === undefined) return err('missing-parameter');
  if (uri === undefined || response === undefined) return err('missing-parameter');
  const algorithm = digestAlgorithm(parameters.get('algorithm') ?? 'MD5');
  if (algorithm === undefined) return err('unsupported-algorithm');
  const cnonce = parameters.get('cnonce');
  const protection = parseProtection(parameters, cnonce);
  if (typeof protection === 'string') return err(protection);
  const opaque = parameters.get('opaque');
  return ok({ username, realm, nonce, uri, response, algorithm, ...protection, cnonce, opaque });
}

/** RFC 7616 §3.4: with qop, cnonce and nc must be there; nc is eight hexadecimal digits. */
function parseProtection(
  parameters: ReadonlyMap<string, string>,
  cnonce: string | undefined,
): { qop: QualityOfProtection | undefined; nc: number | undefined } | DigestProblem {
  const qop = parameters.get('qop')?.toLowerCase();
  if (qop === undefined) return { qop: undefined, nc: undefined };
  if (qop !== 'auth' && qop !== 'auth-int') return 'qop';
  const count = parameters.get('nc');
  if (cnonce === undefined || count === undefined) return 'missing-parameter';
  const nc = /^[0-9A-Fa-f]{8}$/.test(count) ? Number.parseInt(count, 16) : 0;
  return nc === 0 ? 'nonce-count' : { qop, nc };
}

export function formatCredentials(credentials: DigestCredentials): string {
  const { qop, nc } = credentials;
  return formatAuthParameters([
    ['username', credentials.username, 'quoted'],
    ['realm', credentials.realm, 'quoted'],
    ['nonce', credentials.nonce, 'quoted'],
    ['uri', credentials.uri, 'quoted'],
    ['response', credentials.response, 'quoted'],
    ['algorithm', credentials.algorithm, 'token'],
    ['qop', qop, 'token'],
    ['nc', nc === undefined ? undefined : formatNonceCount(nc), 'token'],
    ['cnonce', credentials.cnonce, 'quoted'],
    ['opaque', credentials.opaque, 'quoted'],
  ]);
}

export function formatNonceCount(nc: number): string {
  return nc.toString(16).padStart(8, '0');
}
