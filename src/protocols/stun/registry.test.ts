import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AttributeType } from './attribute-types.ts';
import { ErrorCode } from './error-codes.ts';
import { Method } from './methods.ts';

/** Value to name, as the registry file under spec/registries has them. */
function registry(file: string): Map<number, string> {
  const text = readFileSync(new URL(`../../../spec/registries/${file}`, import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    rows.slice(1).map((row) => {
      const [value = '', name = ''] = row.split(',');
      return [Number(value), name];
    }),
  );
}

/** "XOR-PEER-ADDRESS" and "Peer Address Family" alike: XorPeerAddress, PeerAddressFamily. */
function constantName(name: string): string {
  if (/^[A-Z][a-z]+([A-Z][a-z]+)*$/.test(name)) return name;
  return name
    .split(/[-_ ]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('');
}

for (const [file, constants] of [
  ['stun-methods.csv', Method],
  ['stun-attributes.csv', AttributeType],
  ['stun-error-codes.csv', ErrorCode],
] as const) {
  test(`${file} and the constants say the same, both ways`, () => {
    const rows = registry(file);
    const ours = new Map(Object.entries(constants).map(([name, value]) => [value as number, name]));
    for (const [value, name] of rows) assert.equal(ours.get(value), constantName(name), `value ${value}`);
    for (const [value, name] of ours) assert.ok(rows.has(value), `${name} (${value}) is not in the registry`);
  });
}
