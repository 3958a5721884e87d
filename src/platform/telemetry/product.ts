import { readFileSync } from 'node:fs';

/** Version of this program, from its package. */
export const PRODUCT_VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version ?? 'unknown');
}
