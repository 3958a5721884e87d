export const REDACTED = '[redacted]';

/** Key names, compared in lower case by their letters and digits, whose values never reach a log. */
const SECRET_WORDS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'credential',
  'privatekey',
  'apikey',
  'cookie',
  'authorization',
];
const SECRET_NAMES = new Set([
  'ha1',
  'key',
  'token',
  'nonce',
  'cnonce',
  'pem',
  'pwd',
  'pass',
  'auth',
  'bearer',
  'jwt',
  'seed',
]);
const SECRET_ENDINGS = ['token', 'tokens', 'ha1', 'key', 'keys'];
/** Names that look secret by the words above and are not. */
const HARMLESS = new Set(['credentialsource', 'keyfile', 'secretfile', 'publickey']);

/** Whether a field of this name holds something that must not be printed. */
export function secretKey(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (HARMLESS.has(plain)) return false;
  return (
    SECRET_NAMES.has(plain) ||
    SECRET_WORDS.some((word) => plain.includes(word)) ||
    SECRET_ENDINGS.some((ending) => plain.endsWith(ending))
  );
}

const DEPTH = 6;
const ITEMS = 64;
const TEXT = 2048;

/**
 * A printable copy of a log field: secrets replaced at any depth, bytes shown as a count, errors as their text,
 * long text, wide objects and deep nesting cut short, what a terminal would obey written out.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (depth >= DEPTH) return '[deeper]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Map) return redactEntries(value.entries(), depth);
  if (value instanceof Set || Array.isArray(value)) return redactItems(value, depth);
  return redactEntries(Object.entries(value), depth);
}

/** JSON escapes the controls of ASCII only; later ones and marks of direction reach a terminal as they are. */
const OBEYED = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u;

function printable(text: string): string {
  const short = text.length > TEXT ? `${text.slice(0, TEXT)}…` : text;
  if (!OBEYED.test(short)) return short;
  return short.replace(
    new RegExp(OBEYED, 'gu'),
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error ? { code: redact(error.code, depth + 1) } : {};
  const cause = error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) };
  return { type: error.name, message: redact(error.message), ...code, ...cause };
}

function redactItems(values: Iterable<unknown>, depth: number): unknown[] {
  const items: unknown[] = [];
  // A header as name and value.
  if (Array.isArray(values) && values.length === 2 && isSecretName(values[0])) return [values[0], REDACTED];
  for (const value of values) {
    if (items.length === ITEMS) {
      items.push('…');
      break;
    }
    items.push(redact(value, depth + 1));
  }
  return items;
}

/** RFC 3261 §25.1, token: a sentence that speaks of a key is not the name of a header. */
const HEADER_NAME = /^[\w.!%*+`'~-]{1,64}$/;

function isSecretName(value: unknown): boolean {
  return typeof value === 'string' && HEADER_NAME.test(value) && secretKey(value);
}

function redactEntries(entries: Iterable<[unknown, unknown]>, depth: number): Record<string, unknown> {
  const copy: [string, unknown][] = [];
  for (const [key, value] of entries) {
    if (copy.length === ITEMS) {
      copy.push(['…', 'more']);
      break;
    }
    const name = printable(String(key));
    copy.push([name, secretKey(name) ? REDACTED : redact(value, depth + 1)]);
  }
  return Object.fromEntries(copy);
}
