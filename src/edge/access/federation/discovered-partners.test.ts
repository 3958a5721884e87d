import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { DiscoveredPartners } from './discovered-partners.ts';
import type { FederationScene } from './federation-scene.ts';

test('of a partner that fell silent it is told when its limit has ended', () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const discovery = {
    ...{ enabled: true, verification: 'use-source', messagesPerSecond: 1, suspiciousMessagesPerSecond: 1 },
    ...{ limitUsers: true, users: 10, reportMinutes: 60 },
  };
  const discovered = new DiscoveredPartners({
    clock,
    scene: { settings: { discovery } } as FederationScene,
    tell: (name, { rule = '', state = '' }, domain) => told.push(`${name} ${domain} ${rule} ${state}`.trim()),
  });
  for (let i = 0; i < 3; i++) discovered.policing.admit('partner.example', 'alice@example.com', clock.now());
  const limited = 'discovered-partner-limited partner.example partner-rate';
  assert.deepEqual(told, [`${limited} begun`]);
  clock.advance(180_000);
  assert.deepEqual(told, [`${limited} begun`, `${limited} ended`]);
  discovered.stop();
  clock.advance(3_600_000);
  assert.equal(told.length, 2);
});
