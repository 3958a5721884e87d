import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExternalAccess } from './external-access.ts';

const open = { remote: true, federation: true, publicProviders: true, publicProviderMedia: true };

test('who may not, may not in any other spelling of the address either (RFC 3261 §19.1.4)', () => {
  const nobody = { remote: false, federation: false, publicProviders: false, publicProviderMedia: false };
  const users = [
    { user: 'ceo@example.com', ...nobody },
    { user: 'a/b@example.com', ...nobody },
  ];
  const access = new ExternalAccess({ ...open, users });
  const spellings = ['ceo', 'CEO', '%63eo', 'c%45%4F', '%63%65%6f'].map((user) => `${user}@example.com`);
  const others = ['ceo@example.com.', '%63eo@EXAMPLE.COM.', 'a/b@example.com'];
  for (const address of [...spellings, ...others])
    assert.equal(access.rightsOf(address).remote, false, address);
  for (const address of [
    'ceo%40x@example.com',
    '%25%36%33eo@example.com',
    'bob@example.com',
    'a%2Fb@example.com',
  ])
    assert.equal(access.rightsOf(address).remote, true, address);
});
