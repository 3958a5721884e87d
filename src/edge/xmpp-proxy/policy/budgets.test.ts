import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { Budgets } from './budgets.ts';

const chat = element(NS.server, 'message', { from: 'a@b.example', to: 'c@d.example' });

test('X10: however many names there are, none gets a budget anew for every stanza', () => {
  const budgets = new Budgets({ stanzasPerSecond: 1, subscriptionsPerMinute: 1 });
  for (let n = 0; n < 2000; n++) budgets.take(`p${n}.example`, chat, 0);
  const passed = Array.from({ length: 50 }, () => budgets.take('late.example', chat, 0));
  assert.equal(passed.filter((refusal) => refusal === undefined).length, 10, 'the burst of ten seconds');
  assert.equal(passed.at(-1), 'partner-rate');
});
