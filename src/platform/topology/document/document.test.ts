import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { formatDocumentError, quote } from '../finding.ts';
import { edgeSchema } from '../schema/edge-schema.ts';
import { documentJsonSchema, namedFiles, settings } from '../schema/settings.ts';
import { edited, goodEdge, goodInternal } from '../testing/documents.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { checkDocument, kindOf, loadEdgeDocument, loadInternalDocument } from './check.ts';
import { examineEdge, parseEdgeDocument, parseInternalDocument } from './document.ts';
import { hostFiles } from './document-files.ts';
import { LONGEST_DOCUMENT } from './yaml-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'topology-'));
after(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function good(text: string, file = '/etc/sallyport/edge.yaml') {
  const parsed = parseEdgeDocument(text, { file, files: virtualFiles });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

test('paths are relative to the folder of the document', () => {
  const { host, policy } = good(edited(goodEdge, 'key: access.key', 'key: /run/access.key'));
  assert.equal(host.certificates.access.certificate, '/etc/sallyport/access.crt');
  assert.equal(host.certificates.access.key, '/run/access.key');
  assert.equal(policy.mediaCredentials.keyFile, '/etc/sallyport/pool.media');
});

test('files of the state directory follow it [setting host.stateDirectory]', () => {
  assert.equal(good(goodEdge).host.administration.socket, '/var/lib/edge/admin.sock');
  const moved = good(edited(goodEdge, '/var/lib/edge', 'state'));
  assert.equal(moved.host.administration.socket, '/etc/sallyport/state/admin.sock');
  const internal = parseInternalDocument(goodInternal, { file: 'i.yaml', files: virtualFiles });
  assert.ok(internal.ok);
  assert.equal(internal.value.frontEnd.database, '/var/lib/internal/front-end.sqlite');
});

test('what is left out is taken from other settings', () => {
  const shared = edited(goodEdge, '    webConferencing: [192.0.2.20]\n    av: [192.0.2.30]\n', '');
  const one = edited(shared, 'accessClients: 443, ', '');
  const { host, policy } = good(one);
  assert.deepEqual(host.addresses.webConferencing, ['192.0.2.10']);
  assert.deepEqual(host.addresses.av, ['192.0.2.10']);
  const { accessClients, webConferencing, avTcp } = policy.ports;
  assert.deepEqual(
    { accessClients, webConferencing, avTcp },
    { accessClients: 5061, webConferencing: 444, avTcp: 443 },
  );
  assert.deepEqual(policy.internalPeers.access, ['10.45.32.11/32']);
  assert.deepEqual(policy.internalPeers.media, ['10.45.0.0/16']);
  assert.equal(policy.relay.realm, 'example.com');
  assert.deepEqual(policy.avAuthentication.callers, ['pool.example.com', 'fe1.example.com']);
});

test('a default taken from other settings that cannot be is an error, not an exception', () => {
  const member = (index: number) =>
    `      - { name: fe${index}.example.com, address: 10.45.${32 + (index >> 8)}.${index & 255} }`;
  const many = Array.from({ length: 1000 }, (_, index) => member(index)).join('\n');
  const text = edited(goodEdge, '      - { name: fe1.example.com, address: 10.45.32.11, port: 5061 }', many);
  const { document, findings } = examineEdge(text, { file: 'edge.yaml', files: virtualFiles });
  assert.equal(document, undefined);
  const errors = findings.filter(({ severity }) => severity === 'error');
  const derived = [
    'policy.xmpp.gateways',
    'policy.webConferencing.services',
    'policy.avAuthentication.callers',
  ];
  assert.deepEqual(
    errors.map(({ rule, instead }) => [rule, instead]),
    derived.map((name) => ['derived-default', `write ${name}`]),
  );
  for (const [index, { what }] of errors.entries())
    assert.ok(what.startsWith(`${derived[index]} is left out, and what it would be is wrong`), what);
});

test('names are lower-case and addresses canonical', () => {
  const named = good(edited(goodEdge, 'edge1.example.com', 'Edge1.Example.COM'));
  assert.equal(named.host.name, 'edge1.example.com');
  const mapped = good(edited(goodEdge, '[192.0.2.10]', '["::ffff:192.0.2.10", "2001:DB8:0::1"]'));
  assert.deepEqual(mapped.host.addresses.access, ['192.0.2.10', '2001:db8::1']);
});

test('a document is what the schema says that it is', () => {
  const document = good(goodEdge);
  assert.deepEqual(edgeSchema.parse(document), document);
});

test('the files to watch are those that the document names', () => {
  const text = edited(
    goodEdge,
    'keyFile: pool.media',
    'keyFile: pool.media, previousKeyFiles: [a.media, b.media]',
  );
  assert.deepEqual(
    namedFiles('edge', good(text)).map((file) => file.slice('/etc/sallyport/'.length)),
    [
      'ca.crt',
      'access.crt',
      'access.key',
      'internal.crt',
      'internal.key',
      'pool.media',
      'a.media',
      'b.media',
    ],
  );
});

test('one list item that is wrong does not hide the others', () => {
  const text = edited(goodEdge, 'internal: [10.45.16.10]', 'internal: [nonsense, 192.0.2.10]');
  const rules = examineEdge(text, { file: 'edge.yaml', files: virtualFiles }).findings.map(
    ({ rule }) => rule,
  );
  assert.ok(rules.includes('address') && rules.includes('external-is-internal'));
});

test('text from the document is printed without its control characters', () => {
  assert.equal(quote('a\u001b[31m\u009b\u202e\n'), '"a\\u001b[31m\\u009b\\u202e\\n"');
  assert.ok(quote('x'.repeat(1000)).length < 70);
  const obeyed = /[\p{Cc}\p{Cf}]/u;
  for (const text of [
    '"a\\u001b[2J": 1\n"a\\u001b[2J": 2\n',
    'a: *b\u009bc\n',
    'a: |\u009b9\n x\n',
    'a: "\\q\u202e"\n',
  ]) {
    const { report, errors } = checkDocument(written('hostile.yaml', text));
    assert.ok(errors > 0);
    assert.ok(!report.split('\n').some((line) => obeyed.test(line)), JSON.stringify(report));
  }
});

test('a document with more mistakes than anyone reads is refused with some of them', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => `mistake${index}: 1`).join('\n');
  for (const text of [many, `- &a 1\n${'- *a\n'.repeat(20_000)}`, 'again: 1\n'.repeat(20_000)]) {
    const { report, errors } = checkDocument(written('many.yaml', text));
    assert.equal(errors, 1_000);
    assert.match(report, /more to say than 1000 findings/);
    assert.ok(!loadEdgeDocument(join(folder, 'many.yaml')).ok);
  }
});

test('a document that cannot be read is one error in its place', () => {
  const missing = loadEdgeDocument(join(folder, 'nowhere.yaml'));
  assert.ok(!missing.ok);
  assert.deepEqual(missing.error.map(formatDocumentError), [
    `${folder}/nowhere.yaml:1:1: there is no such file: name an existing document`,
  ]);
  const large = loadEdgeDocument(written('large.yaml', `#${' '.repeat(LONGEST_DOCUMENT)}`));
  assert.ok(!large.ok && large.error[0]?.rule === 'document-size');
  const binary = loadInternalDocument(written('binary.yaml', Uint8Array.of(0xff, 0xfe, 0)));
  assert.ok(!binary.ok && binary.error[0]?.rule === 'encoding');
  const directory = loadEdgeDocument(folder);
  assert.ok(!directory.ok && directory.error[0]?.rule === 'file');
  const empty = loadEdgeDocument(written('empty.yaml', ''));
  assert.ok(!empty.ok && empty.error[0]?.rule === 'empty' && empty.error.length === 1);
});

test('check tells the kind of a document and counts what it says', () => {
  const edge = checkDocument(written('edge.yaml', goodEdge));
  assert.equal(edge.errors, 6, 'the six files are not there');
  assert.match(edge.report, /^6 errors:\n.*edge.yaml:11:28: .*does not exist/);
  const internal = checkDocument(written('internal.yaml', edited(goodInternal, '5061', 'x')));
  assert.equal(internal.errors, 4);
  assert.match(internal.report, /frontEnd.port is the text "x"/);
  assert.equal(kindOf(goodEdge), 'edge');
  assert.equal(kindOf('frontEnd:\npolicy:\n'), 'edge');
});

test('files of this host are looked at as they are', () => {
  assert.deepEqual(hostFiles.look(join(folder, 'none')), { state: 'missing' });
  assert.deepEqual(hostFiles.look(folder), { state: 'not-a-file' });
  const file = written('secret', 'text');
  const look = hostFiles.look(file);
  assert.ok(look.state === 'file' && look.text === 'text');
  assert.deepEqual(hostFiles.look(written('big', 'x'.repeat(LONGEST_DOCUMENT + 1))), { state: 'too-large' });
});

test('nested and repeated structures are bounded', () => {
  const deep = examineEdge('['.repeat(100_000), { file: 'edge.yaml', files: virtualFiles });
  assert.deepEqual(
    deep.findings.map(({ rule }) => rule),
    ['syntax'],
  );
  const bomb = `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n${goodEdge}`;
  const exploded = examineEdge(bomb, { file: 'edge.yaml', files: virtualFiles });
  assert.equal(exploded.findings.filter(({ rule }) => rule === 'alias').length, 4);
  assert.equal(exploded.document, undefined);
});

test('every text is either a document or has located errors', () => {
  const lines = goodEdge.split('\n');
  const line = fc.oneof(
    fc.constantFrom(...lines),
    fc.string({ maxLength: 30 }),
    fc.constantFrom(
      '- ',
      '  - [',
      'host: {',
      '? x',
      '!!str a: b',
      'a: *b',
      '&a b',
      '\t',
      '---',
      '...',
      '%TAG',
    ),
  );
  const edits = fc.array(fc.tuple(fc.nat(lines.length), fc.nat(3), line), { maxLength: 6 });
  fc.assert(
    fc.property(edits, (changes) => {
      const copy = [...lines];
      for (const [at, remove, replacement] of changes) copy.splice(at, remove, replacement);
      const text = copy.join('\n');
      const { document, findings } = examineEdge(text, { file: 'edge.yaml', files: virtualFiles });
      const errors = findings.filter(({ severity }) => severity === 'error');
      assert.equal(document === undefined, errors.length > 0);
      for (const { line: row, column } of findings) {
        assert.ok(row >= 1 && row <= text.split(/\r?\n|\r/).length && column >= 1);
      }
    }),
    { numRuns: 300 },
  );
});

test('every setting has what its documentation needs', () => {
  for (const setting of [...settings('edge'), ...settings('internal')]) {
    assert.match(setting.sentence, /^[A-Z].*\.$/, setting.name);
    assert.notEqual(setting.example, undefined, setting.name);
  }
});

test('the JSON Schema knows the same settings', () => {
  const leaves = (node: unknown, name: string): string[] => {
    const { properties, items, type } = node as Record<string, unknown>;
    if (typeof properties === 'object' && properties !== null) {
      return Object.entries(properties).flatMap(([key, member]) =>
        leaves(member, name === '' ? key : `${name}.${key}`),
      );
    }
    const listed = type === 'array' && (items as { type?: string }).type === 'object';
    return listed ? leaves(items, `${name}[]`) : [name];
  };
  for (const kind of ['edge', 'internal'] as const) {
    const named = settings(kind).map((setting) => setting.name);
    assert.deepEqual(leaves(documentJsonSchema(kind), ''), named);
  }
});

test('the name of a document goes to the terminal without what a terminal would obey', () => {
  const { report } = checkDocument(join(folder, 'no\u001b[31m.yaml'));
  assert.doesNotMatch(report, /\u001b/);
});
