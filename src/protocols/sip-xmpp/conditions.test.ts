import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf, printedStatusOf, stanzaConditions, statusOf } from './conditions.ts';

test('every condition has the status of RFC 7247 §7.1, for full and for bare addresses', () => {
  const printed = Object.fromEntries(
    stanzaConditions.map((condition) => {
      const [full, bare] = [printedStatusOf(condition, false), printedStatusOf(condition, true)];
      return [condition, full === bare ? `${full}` : `${full} ${bare}`];
    }),
  );
  assert.deepEqual(printed, {
    'bad-request': '400',
    conflict: '400',
    'feature-not-implemented': '405 501',
    forbidden: '403 603',
    gone: '410',
    'internal-server-error': '500',
    'item-not-found': '404 604',
    'jid-malformed': '400',
    'not-acceptable': '406 606',
    'not-allowed': '403',
    'not-authorized': '401',
    'policy-violation': '403',
    'recipient-unavailable': '480 600',
    redirect: '302',
    'registration-required': '407',
    'remote-server-not-found': '404',
    'remote-server-timeout': '408',
    'resource-constraint': '500',
    'service-unavailable': '403',
    'subscription-required': '400',
    'undefined-condition': '400',
    'unexpected-request': '491',
  });
});

test('gone is 301 with the new address and 410 without (RFC 7247 §7.1)', () => {
  assert.equal(statusOf('gone', true, true), 301);
  assert.equal(statusOf('gone', true, false), 410);
});

test('no answer asks a SIP client for a password that nobody can check, or sends it to an address that is not told', () => {
  assert.equal(statusOf('not-authorized', true, false), 403);
  assert.equal(statusOf('registration-required', false, false), 403);
  assert.equal(statusOf('redirect', false, true), 302);
  assert.equal(statusOf('redirect', false, false), 480);
});

test('every status has the condition of RFC 7247 §7.2', () => {
  const rows: [string, number[]][] = [
    ['redirect', [300, 302, 305, 399]],
    ['gone', [301, 410]],
    ['not-acceptable', [380, 406, 415, 416, 421, 482, 483, 488, 505, 606]],
    ['bad-request', [400, 402, 493, 499]],
    ['not-authorized', [401]],
    ['forbidden', [403]],
    ['item-not-found', [404, 481, 484, 485, 604]],
    ['feature-not-implemented', [405, 420, 439, 501]],
    ['registration-required', [407]],
    ['remote-server-timeout', [408, 504]],
    ['policy-violation', [413, 414, 440, 489, 513]],
    ['resource-constraint', [423]],
    ['recipient-unavailable', [430, 480, 486, 487, 600, 603, 699]],
    ['unexpected-request', [491]],
    ['internal-server-error', [500, 503, 599]],
    ['remote-server-not-found', [502]],
  ];
  for (const [condition, statuses] of rows) {
    for (const status of statuses) assert.equal(conditionOf(status), condition, String(status));
  }
});
