import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { examineEdge, featureKeys, settings } from '#platform/topology';
import { goodHost } from '../../../platform/host-survey/testing/imagined-host.ts';
import { virtualFiles } from '../../../platform/topology/testing/virtual-files.ts';
import { type Answers, kebab, nextHopMember, translatedAddresses } from './answers.ts';
import { documentText } from './document.ts';
import { interview } from './interview.ts';
import { flagOf, questions } from './questions.ts';

const file = '/etc/sallyport/edge.yaml';
const known = { host: goodHost, outside: {}, file };

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const domain = fc
  .tuple(label, label, fc.constantFrom('example', 'test', 'net'))
  .map((labels) => labels.join('.'));
const last = fc.integer({ min: 1, max: 254 });

/** Addresses of one service each, or shared; public, private or both families. */
const external = fc
  .record({
    network: fc.constantFrom('192.0.2', '172.16.0'),
    hosts: fc.uniqueArray(last, { minLength: 3, maxLength: 3 }),
    ipv6: fc.boolean(),
    shares: fc.constantFrom('all', 'web', 'none'),
  })
  .map(({ network, hosts, ipv6, shares }) => {
    const at = (index: number): string =>
      `${network}.${hosts[index]}${ipv6 ? `, 2001:db8:1::${hosts[index]?.toString(16)}` : ''}`;
    return {
      accessAddresses: at(0),
      webConferencingAddresses: at(shares === 'none' ? 1 : 0),
      avAddresses: at(shares === 'all' ? 0 : 2),
    };
  });

const members = fc
  .uniqueArray(fc.tuple(label, last, fc.boolean()), {
    minLength: 1,
    maxLength: 4,
    selector: ([name]) => name,
  })
  .filter((some) => new Set(some.map(([, host]) => host)).size === some.length)
  .map((some) =>
    some.map(([name, host, port]) => `${name}.example.com=10.45.32.${host}${port ? ':5071' : ''}`).join(' '),
  );

/** Media with public providers takes both. */
const features = fc
  .subarray(featureKeys.map(kebab))
  .map((words) =>
    words.includes('media') && words.includes('public-providers')
      ? words
      : words.filter((word) => word !== 'public-provider-media'),
  )
  .map((words) => words.join(', ') || 'none');

const answers: fc.Arbitrary<Answers> = fc
  .tuple(
    external,
    fc.record({
      sipDomains: fc.uniqueArray(domain, { minLength: 1, maxLength: 3 }).map((names) => names.join(', ')),
      site: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
        .filter((text) => /^\S(.*\S)?$/.test(text)),
      features,
      mediaProfiles: fc.subarray(['edge-tunnel', 'ice', 'legacy-ocs2007'], { minLength: 1 }).map(String),
      accessName: domain,
      webConferencingName: domain,
      avName: domain,
      internalAddresses: last.map((host) => `10.45.16.${host}`),
      hostName: domain,
      internalNetworks: fc.constantFrom('10.0.0.0/8', '10.45.0.0/16, fd00::/8'),
      nextHopName: domain,
      nextHopMembers: members,
      resolvers: fc.constantFrom('none', '192.0.2.53', '198.51.100.53,2001:db8::53'),
      timeServers: fc.constantFrom('none', '192.0.2.123'),
      administrators: fc.constantFrom('none', '10.45.99.0/24'),
      certificates: fc.constantFrom('certificates', '/etc/pki/edge/', '../here we are'),
      mediaKey: fc.constantFrom('secrets/pool.media', '/run/pool.media'),
      createMediaKey: fc.constant('no'),
      runAs: fc.constantFrom('none', 'sallyport'),
      stateDirectory: fc.constantFrom('/var/lib/edge', 'state'),
    }),
  )
  .map(([addresses, rest]) => ({ ...addresses, ...rest }));

/** Public addresses for private ones, as many as it takes. */
function translated(given: Answers): Answers {
  const shown = translatedAddresses(given).map((address, index) =>
    address.includes(':') ? `2001:db8:9::${index + 1}` : `203.0.113.${index + 1}`,
  );
  return { ...given, publicAddresses: shown.join(' ') || 'none' };
}

test('whatever is answered rightly makes a document that passes check', async () => {
  await fc.assert(
    fc.asyncProperty(answers, fc.boolean(), async (some, translate) => {
      const given = translate ? translated(some) : some;
      const outcome = await interview({ given, dialogue: undefined, takeDefaults: true, known });
      assert.equal(outcome.kind, 'answered', JSON.stringify(outcome));
      assert.ok(outcome.kind === 'answered');
      const { document, findings } = examineEdge(documentText(file, outcome.answers), {
        file,
        files: virtualFiles,
      });
      assert.ok(document !== undefined, JSON.stringify(findings));
      assert.equal(document.policy.site, given.site);
      assert.equal(document.host.runAs ?? 'none', given.runAs);
      assert.deepEqual(document.host.addresses.av, given.avAddresses?.split(', '));
    }),
    { numRuns: 40 },
  );
});

test('every default taken makes a document that passes check', async () => {
  const given = { nextHopMembers: 'fe1.example.com=10.45.32.11' };
  const outcome = await interview({ given, dialogue: undefined, takeDefaults: true, known });
  assert.ok(outcome.kind === 'answered');
  const { document, findings } = examineEdge(documentText(file, outcome.answers), {
    file,
    files: virtualFiles,
  });
  assert.ok(document !== undefined, JSON.stringify(findings));
  assert.deepEqual(
    findings.map(({ severity }) => severity),
    ['instruction'],
  );
});

test('every setting that must be written is asked for, and every flag has its own name', async () => {
  const outcome = await interview({ given: {}, dialogue: undefined, takeDefaults: true, known });
  assert.ok(outcome.kind === 'incomplete');
  assert.equal(new Set(questions.map(({ name }) => flagOf(name))).size, questions.length);
  const features = settings('edge').filter(({ name }) => name.startsWith('policy.features.'));
  assert.deepEqual(
    features.map(({ name }) => name.split('.').at(-1)),
    featureKeys,
  );
});

test('a next hop member in its forms', () => {
  assert.deepEqual(nextHopMember('a.b=10.0.0.1'), { name: 'a.b', address: '10.0.0.1' });
  assert.deepEqual(nextHopMember('a.b=10.0.0.1:5062'), { name: 'a.b', address: '10.0.0.1', port: 5062 });
  assert.deepEqual(nextHopMember('a.b=fd00::11'), { name: 'a.b', address: 'fd00::11' });
  assert.deepEqual(nextHopMember('a.b=[fd00::11]:5062'), { name: 'a.b', address: 'fd00::11', port: 5062 });
  for (const text of ['a.b', '=10.0.0.1', 'a.b=', 'a.b=[fd00::11', 'a.b=10.0.0.1:', 'a.b=10.0.0.1:x']) {
    assert.equal(nextHopMember(text), undefined, text);
  }
});

test('addresses are translated by families', () => {
  const given = { accessAddresses: '172.16.0.1, 2001:db8::1', avAddresses: '192.0.2.1 2001:DB8::1' };
  assert.deepEqual(translatedAddresses(given), ['172.16.0.1', '192.0.2.1']);
  assert.deepEqual(translatedAddresses({ accessAddresses: '192.0.2.1' }), []);
});
