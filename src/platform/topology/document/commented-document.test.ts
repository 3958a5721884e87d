import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { virtualFiles } from '../testing/virtual-files.ts';
import { commentedDocument, exampleDocument } from './commented-document.ts';
import { examineEdge, examineInternal, parseEdgeDocument } from './document.ts';

/** What the required settings of `edge.yaml` have besides those that a test is about. */
function values(site: string) {
  return {
    version: 1 as const,
    host: {
      name: 'edge1.example.com',
      stateDirectory: '/var/lib/edge',
      internalCa: 'ca.crt',
      addresses: { access: ['192.0.2.10', '2001:db8::10'], av: ['192.0.2.30'], internal: ['10.45.16.10'] },
      certificates: {
        access: { certificate: 'access.crt', key: 'access.key' },
        internal: { certificate: 'internal.crt', key: 'internal.key' },
      },
    },
    policy: {
      site,
      sipDomains: ['example.com'],
      names: { access: 'sip.example.com', webConferencing: 'web.example.com', av: 'av.example.com' },
      internalNetworks: ['10.45.0.0/16'],
      nextHop: {
        name: 'pool.example.com',
        members: [
          { name: 'fe1.example.com', address: '10.45.32.11', port: 5062 },
          { name: 'fe2.example.com', address: '10.45.32.12' },
        ],
      },
      limits: { av: { allocations: 500 } },
      mediaCredentials: { keyFile: 'pool.media' },
    },
  };
}

const options = { file: '/etc/sallyport/edge.yaml', files: virtualFiles };

test('what is given is live, at every depth, and the rest is its default', () => {
  const text = commentedDocument('edge', ['A head.'], values('Head office'));
  const parsed = parseEdgeDocument(text, options);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const { host, policy } = parsed.value;
  assert.deepEqual(host.addresses.access, ['192.0.2.10', '2001:db8::10']);
  assert.deepEqual(policy.nextHop.members, [
    { name: 'fe1.example.com', address: '10.45.32.11', port: 5062, domains: [] },
    { name: 'fe2.example.com', address: '10.45.32.12', port: 5061, domains: [] },
  ]);
  assert.equal(policy.limits.av.allocations, 500);
  assert.equal(policy.limits.av.lifetimeSeconds, 3600);
  assert.match(text, /^# A head\.\n# The version .*\nversion: 1\n/);
  assert.match(text, /\n {2}limits:\n/, 'a section with something live is live');
  assert.match(text, /\n {4}#access:\n/, 'one with nothing is not');
  assert.equal(text.match(/The server's name, which its certificate must hold/g)?.length, 1);
});

test('a text means itself, whatever YAML thinks of it', () => {
  const label = fc.oneof(
    fc.constantFrom(
      'true',
      'no',
      'null',
      '~',
      '1e3',
      '0x1f',
      '12',
      '- a',
      'a: b',
      'a #b',
      "it's",
      '"',
      'a ',
      '[',
      '2026-01-01',
      '.inf',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  );
  fc.assert(
    fc.property(label, (site) => {
      const { document, findings } = examineEdge(commentedDocument('edge', [], values(site)), options);
      // The setting itself refuses control characters and surrogates.
      if (/\p{C}/u.test(site)) {
        assert.ok(
          findings.some(({ rule }) => rule === 'label' || rule === 'syntax'),
          JSON.stringify(site),
        );
      } else assert.equal(document?.policy.site, site);
    }),
    { numRuns: 300 },
  );
});

test('nothing given is nothing live, and a part is judged as a part', () => {
  assert.ok(
    commentedDocument('edge', [], {})
      .split('\n')
      .every((line) => /^\s*(#.*)?$/.test(line)),
  );
  const part = commentedDocument('edge', [], { policy: { nextHop: { name: 'not a name' } } });
  const { findings } = examineEdge(part, options);
  assert.deepEqual(
    findings
      .filter(({ severity, rule }) => severity === 'error' && rule !== 'missing-key')
      .map(({ rule }) => rule),
    ['domain-name'],
  );
});

test('the examples of both schemas are good documents, and their files may be left unread', () => {
  for (const [kind, examine] of [
    ['edge', examineEdge],
    ['internal', examineInternal],
  ] as const) {
    const text = exampleDocument(kind, []);
    const file = `/nowhere/${kind}.yaml`;
    assert.ok(examine(text, { file, files: 'unread' }).document !== undefined);
    assert.ok(examine(text, { file }).findings.some(({ rule }) => rule === 'file-missing'));
  }
});
