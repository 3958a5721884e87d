import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { literalLookup } from './literal-lookup.ts';

test('addresses are answered at once, names never', () => {
  const answers: unknown[] = [];
  for (const host of ['127.0.0.1', '::1', 'fe80::1%eth0', 'localhost', '1.2.3.4.example', '1.2.3'])
    literalLookup(host, {}, (error, address, family) => answers.push([error?.code, address, family]));
  assert.deepEqual(answers, [
    [undefined, '127.0.0.1', 4],
    [undefined, '::1', 6],
    [undefined, 'fe80::1%eth0', 6],
    ...['localhost', '1.2.3.4.example', '1.2.3'].map(() => ['ENOTFOUND', '', 0]),
  ]);
});

test('a socket that is told a name says that it is none of an address', async () => {
  const socket = connect({ host: 'localhost', port: 9, lookup: literalLookup });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ENOTFOUND');
});
