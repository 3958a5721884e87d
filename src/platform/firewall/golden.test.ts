import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scenario, scenarioNames } from '../topology/testing/scenarios.ts';
import { formatNames } from './formats/head.ts';
import { renderRuleset } from './formats/render.ts';
import { firewallNames } from './model/ruleset.ts';
import { firewallRuleset } from './rulesets/ruleset.ts';

const folder = join(import.meta.dirname, 'testdata');

for (const name of scenarioNames) {
  test(`golden rules of ${name}`, () => {
    const document = scenario(name);
    for (const firewall of firewallNames) {
      for (const format of formatNames) {
        if (format === 'sysctl' && firewall !== 'host') continue;
        const actual = renderRuleset(firewallRuleset(document, firewall), format);
        const file = join(folder, name, `${firewall}.${format}`);
        if (process.env.UPDATE_GOLDEN === '1') {
          mkdirSync(join(folder, name), { recursive: true });
          writeFileSync(file, actual);
        } else {
          assert.equal(actual, readFileSync(file, 'utf8'), file);
        }
      }
    }
  });
}
