export const REDACTED = '[redacted]';

/** Key names, compared in lower case without `-` and `_`, whose values never reach a log. */
const SECRET_WORDS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'credential',
  'privatekey',
  'apikey',
  'cookie',
];
const SECRET_NAMES = new Set([
  'authorization',
  'proxyauthorization',
  'ha1',
  'key',
  'token',
  'nonce',
  'cnonce',
  'pem',
  'pwd',
  'pass',
]);
const SECRET_ENDINGS = ['token', 'ha1'];
/** Names that look secret by the words above and are not. */
const HARMLESS = new Set(['credentialsource', 'keyfile', 'secretfile']);

/** Whether a field of this name holds something that must not be printed. */
export function secretKey(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
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
 * long text, wide objects and deep nesting cut short.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length > TEXT ? `${value.slice(0, TEXT)}…` : value;
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

function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) };
  return { type: error.name, message: redact(error.message), ...code, ...cause };
}

function redactItems(values: Iterable<unknown>, depth: number): unknown[] {
  const items: unknown[] = [];
  for (const value of values) {
    if (items.length === ITEMS) {
      items.push('…');
      break;
    }
    items.push(redact(value, depth + 1));
  }
  return items;
}

function redactEntries(entries: Iterable<[unknown, unknown]>, depth: number): Record<string, unknown> {
  const copy: [string, unknown][] = [];
  for (const [key, value] of entries) {
    if (copy.length === ITEMS) {
      copy.push(['…', 'more']);
      break;
    }
    const name = String(key);
    copy.push([name, secretKey(name) ? REDACTED : redact(value, depth + 1)]);
  }
  return Object.fromEntries(copy);
}
