import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settings } from '../../schema/settings.ts';
import { rowDefinitions } from './index.ts';

interface Row {
  readonly id: string;
  readonly section: string;
  readonly interface: string;
  readonly role: string;
  readonly protocol: string;
  readonly security: string;
  readonly transport: string;
  readonly direction: string;
  readonly portFrom: number;
  readonly portTo: number;
  readonly overlaps?: string;
}

const registry = join(import.meta.dirname, '../../../../../spec/registries/port-rows.json');
const registered = (JSON.parse(readFileSync(registry, 'utf8')) as { rows: Row[] }).rows;
const byId = new Map(registered.map((row) => [row.id, row]));

const SERVICE_OF_ROLE: Readonly<Record<string, string>> = {
  'access-edge': 'access',
  'webconf-edge': 'web-conferencing',
  'av-edge': 'av',
  'av-auth': 'av-authentication',
  'xmpp-proxy': 'xmpp-proxy',
  'cms-replica': 'replica',
  'cls-agent': 'logging-agent',
};

test('the table holds the 37 rows of the registry, in its order, and rows beyond them by ids of our own', () => {
  const ids = rowDefinitions.map(({ id }) => id);
  assert.equal(registered.length, 37);
  assert.deepEqual(
    ids.slice(0, 37),
    registered.map(({ id }) => id),
  );
  for (const id of ids.slice(37)) assert.match(id, /^more-\d\d$/);
  assert.equal(new Set(ids).size, ids.length);
});

test('every row is what the registry says', () => {
  for (const row of rowDefinitions.slice(0, 37)) {
    const { id, section, protocol, security, transport, direction } = row;
    const known = byId.get(id);
    assert.ok(known);
    assert.deepEqual(
      {
        id,
        section,
        interface: row.interface,
        protocol,
        security,
        transport,
        direction,
        service: row.service,
      },
      {
        id,
        section: known.section,
        interface: known.interface,
        protocol: known.protocol,
        security: known.security,
        transport: known.transport,
        direction: known.direction,
        service: SERVICE_OF_ROLE[known.role],
      },
    );
    assert.equal(row.sameAs, known.overlaps, id);
  }
});

test('the default of every port setting is the port of its rows', () => {
  let compared = 0;
  for (const setting of [...settings('edge'), ...settings('internal')]) {
    if (typeof setting.default !== 'number') continue;
    for (const row of (setting.rows ?? []).map((id) => byId.get(id)).filter((found) => found !== undefined)) {
      assert.equal(setting.default, setting.name.endsWith('.last') ? row.portTo : row.portFrom, setting.name);
      compared += 1;
    }
  }
  assert.ok(compared >= 20);
});

test('every row that a setting names is a port row or one of our own', () => {
  const ids = new Set(rowDefinitions.map(({ id }) => id)).add('more-02').add('more-12');
  for (const setting of [...settings('edge'), ...settings('internal')]) {
    for (const id of setting.rows ?? []) assert.ok(ids.has(id), `${setting.name}: ${id}`);
  }
});
