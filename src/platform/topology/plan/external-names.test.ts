import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgeDocument } from '../document/document.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import { edited, goodEdge } from '../testing/documents.ts';
import { externalNames, zoneOf } from './external-names.ts';

function edge(text: string): EdgeDocument {
  const parsed = parseEdgeDocument(text, { file: 'edge.yaml', files: 'unread' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

function shown(document: EdgeDocument): string[] {
  return externalNames(document).map(
    ({ name, service, domain, rows }) =>
      `${name} ${service} ${domain ?? '-'} ${rows.map(({ id }) => id).join(' ')}`,
  );
}

test('a name is there when something listens under it, and the relay range is under none', () => {
  assert.deepEqual(shown(edge(goodEdge)), [
    'sip.example.com access example.com ext-05',
    'av.example.com av example.com ext-14 ext-15',
  ]);
  const legacy =
    '  features: { remoteUsers: false, federation: true }\n  federation: { mediaProfiles: [legacy-ocs2007] }\n  ports:';
  assert.deepEqual(shown(edge(edited(goodEdge, '  ports:', legacy))), [
    'sip.example.com access example.com ext-06',
    'av.example.com av example.com ext-14 ext-15',
  ]);
});

test('each SIP domain has names of its own, and a name in none of them stands beside', () => {
  const several = edited(goodEdge, '[example.com]', '[example.com, eu.example.com]');
  assert.deepEqual(shown(edge(edited(several, 'access: sip.example.com', 'access: sip.example.org'))), [
    'sip.example.org access - ext-05',
    'sip.example.com access example.com ext-05',
    'sip.eu.example.com access eu.example.com ext-05',
    'av.example.com av example.com ext-14 ext-15',
    'av.eu.example.com av eu.example.com ext-14 ext-15',
  ]);
});

test('a name lies in the innermost domain around it, or in the domain above it', () => {
  const domains = ['example.com', 'eu.example.com'];
  assert.equal(zoneOf('sip.eu.example.com', domains), 'eu.example.com');
  assert.equal(zoneOf('example.com', domains), 'example.com');
  assert.equal(zoneOf('notexample.com', domains), 'notexample.com');
  assert.equal(zoneOf('a.b.example.org', domains), 'b.example.org');
});

test('names that clients are given besides stand beside, once', () => {
  const pair = (name: string) => `{ name: ${name}, certificate: d.pem, key: d.key }`;
  const named = edited(
    goodEdge,
    '    internal: { certificate',
    `    accessDomains: [${pair('sip.example.org')}, ${pair('sip.example.com')}]\n    internal: { certificate`,
  );
  assert.deepEqual(shown(edge(named)).slice(0, 2), [
    'sip.example.com access example.com ext-05',
    'sip.example.org access - ext-05',
  ]);
});
