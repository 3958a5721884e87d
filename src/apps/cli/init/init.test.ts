import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { checkDocument, examineEdge } from '#platform/topology';
import { parseMediaKey } from '#protocols/credentials';
import { changed, goodHost } from '../../../platform/host-survey/testing/imagined-host.ts';
import { runCommandLine } from '../command-line.ts';
import { CTRL_C, CTRL_D, ENTER, type Line, play } from './testing/play.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-init-'));
after(() => rmSync(root, { recursive: true }));

let folder = root;
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'one-'));
  file = join(folder, 'edge.yaml');
});

function document() {
  const { document: read, findings } = examineEdge(readFileSync(file, 'utf8'), { file, files: 'unread' });
  assert.ok(read !== undefined, JSON.stringify(findings));
  return read;
}

const MEMBER = 'fe1.example.com=10.45.32.11';
const BARE: readonly string[] = ['--yes', '--next-hop-members', MEMBER];

test('on a good host one flag is enough, and only files are missing then', async () => {
  const { status, out, error } = await play(goodHost, [file, ...BARE]);
  assert.deepEqual([status, error], [0, '']);
  const { host, policy } = document();
  assert.deepEqual(host.addresses.access, ['192.0.2.10']);
  assert.deepEqual(host.addresses.webConferencing, ['192.0.2.20']);
  assert.deepEqual(host.addresses.av, ['192.0.2.30']);
  assert.deepEqual(host.addresses.internal, ['10.45.16.10']);
  assert.deepEqual(host.resolvers, ['192.0.2.53']);
  assert.equal(host.name, 'edge1.example.com');
  assert.deepEqual(policy.internalNetworks, ['10.45.0.0/16']);
  assert.deepEqual(policy.sipDomains, ['example.com']);
  assert.deepEqual(policy.nextHop.members, [
    { name: 'fe1.example.com', address: '10.45.32.11', port: 5061, domains: [] },
  ]);
  assert.match(out, /Nothing to change on this host/);
  assert.match(out, /ext-05 +external +inbound +TCP 443 +192\.0\.2\.10 +any/);
  assert.match(out, /sip\.example\.com +A +192\.0\.2\.10\n +av\.example\.com +A +192\.0\.2\.30/);
  assert.match(out, /certificates\/access\.crt +The certificate/);
  assert.equal(out.includes('webconf.example.com'), false, 'a feature that is off needs no name yet');
  assert.match(out, /sallyport check +\S+edge\.yaml/);
  const checked = checkDocument(file);
  const errors = checked.report
    .split('\n')
    .filter((line) => line.startsWith(file))
    .slice(0, checked.errors);
  assert.equal(errors.length, 5);
  for (const line of errors) assert.match(line, /does not exist/);
});

test("file and media key are nobody else's business, and nothing else is left in the folder", async () => {
  await play(goodHost, [file, ...BARE]);
  assert.equal(statSync(file).mode & 0o777, 0o640);
  const key = join(folder, 'secrets', 'pool.media');
  assert.equal(statSync(key).mode & 0o777, 0o600);
  assert.ok(parseMediaKey(readFileSync(key)).ok);
  assert.deepEqual(readdirSync(folder).sort(), ['edge.yaml', 'secrets']);
  assert.deepEqual(readdirSync(join(folder, 'secrets')), ['pool.media']);
});

test('a document is not replaced without --force, a media key never', async () => {
  await play(goodHost, [file, ...BARE]);
  const before = readFileSync(file, 'utf8');
  const key = readFileSync(join(folder, 'secrets', 'pool.media'), 'utf8');
  const refused = await play(goodHost, [file, ...BARE, '--site', 'Elsewhere']);
  assert.equal(refused.status, 1);
  assert.match(refused.error, /edge\.yaml is there already: .*--force/);
  assert.equal(readFileSync(file, 'utf8'), before);
  const forced = await play(goodHost, [file, ...BARE, '--site', 'Elsewhere', '--force']);
  assert.equal(forced.status, 0);
  assert.equal(document().policy.site, 'Elsewhere');
  assert.equal(readFileSync(join(folder, 'secrets', 'pool.media'), 'utf8'), key);
});

test('a folder that is missing or a file that came meanwhile is said, and nothing is left behind', async () => {
  const lost = await play(goodHost, [join(folder, 'none', 'edge.yaml'), ...BARE]);
  assert.equal(lost.status, 1);
  assert.match(lost.error, /there is no folder .*none: make it first, mkdir -p/);
  const script: Line[] = [
    [/SIP domains/, ENTER],
    [/Name of the site/, ENTER],
  ];
  const meanwhile = changed({ hosts: new Map([['pool.example.com', ['10.45.32.11']]]) });
  const racing = play(meanwhile, [file], [...script, ...Array(30).fill([/\]: /, ENTER])]);
  writeFileSync(file, 'version: 1\n');
  const { status, error, screen } = await racing;
  assert.match(screen, /Folder for what the edge writes/, 'every question was asked before');
  assert.equal(status, 1);
  assert.match(error, /is there already/);
  assert.deepEqual(readdirSync(folder), ['edge.yaml']);
  assert.equal(readFileSync(file, 'utf8'), 'version: 1\n');
});

test('nobody to be asked: the flags that are missing are named, with what has no default only under --yes', async () => {
  const bare = await play(goodHost, [file]);
  assert.equal(bare.status, 2);
  assert.match(bare.error, /^--sip-domains is missing \(SIP domains\)/);
  assert.match(bare.error, /--state-directory is missing/);
  assert.match(bare.error, /--yes takes the defaults/);
  const yes = await play(goodHost, [file, '--yes']);
  assert.equal(yes.status, 2);
  assert.deepEqual(yes.error.trimEnd().split('\n'), [
    "--next-hop-members is missing (Its servers, each as name=address or name=address:port), such as --next-hop-members 'fe1.example.com=10.45.32.11'",
    'nothing was written',
  ]);
  assert.equal(existsSync(file), false);
});

test('a flag with a wrong answer is named with what check would say', async () => {
  const wrong = [
    '--sip-domains',
    'example',
    '--features',
    'telepathy',
    '--next-hop-members',
    'fe1=',
    '--create-media-key',
    'maybe',
  ];
  const { status, error } = await play(goodHost, [file, '--yes', ...wrong]);
  assert.equal(status, 2);
  const lines = error.trimEnd().split('\n');
  assert.match(
    lines[0] ?? '',
    /^--sip-domains: .*"example" is not a fully qualified domain name: write a full/,
  );
  assert.match(lines[1] ?? '', /^--features: known are remote-users, media/);
  assert.match(lines[2] ?? '', /^--next-hop-members: write each as/);
  assert.match(lines[3] ?? '', /^--create-media-key: write yes or no/);
  const outside = await play(goodHost, [file, '--yes', '--next-hop-members', 'fe1.example.com=10.99.0.1']);
  assert.match(outside.error, /^--next-hop-members: the next hop member 10\.99\.0\.1 is in none of/);
  assert.equal(existsSync(file), false);
});

/** The questions of an edge behind an address translation, with answers and second thoughts. */
const conversation: readonly Line[] = [
  [/SIP domains\r?\n.*\[example\.com\]: /s, `not a domain${ENTER}`],
  [/"not" is not a fully qualified domain name.*\[example\.com\]: /s, `example.net, example.com${ENTER}`],
  [/Name of the site.*\[example\.net\]: /s, `Head "office"${ENTER}`],
  [
    /What the edge does.*\[remote-users, media\]: /s,
    `remote-users media federation web-conferencing${ENTER}`,
  ],
  [/How media reaches partners.*\[ice\]: /s, `edge-tunnel, ice${ENTER}`],
  [/External addresses of the Access Edge.*\[192\.0\.2\.10\]: /s, `172.16.0.10${ENTER}`],
  [/web conferencing.*\[172\.16\.0\.10\]: /s, ENTER],
  [/A\/V Edge service.*\[172\.16\.0\.10\]: /s, `172.16.0.30${ENTER}`],
  [/Public addresses.*\[none\]: /s, `203.0.113.10${ENTER}`],
  [/write 2, one for each of 172\.16\.0\.10, 172\.16\.0\.30/, `203.0.113.10 203.0.113.30${ENTER}`],
  [/External name of the Access Edge.*\[sip\.example\.net\]: /s, `<${ENTER}`],
  [/Public addresses.*\[203\.0\.113\.10 203\.0\.113\.30\]: /s, ENTER],
  [/External name of the Access Edge.*\[sip\.example\.net\]: /s, ENTER],
  [/name of web conferencing.*\[sip\.example\.net\]: /s, `webconf.example.net${ENTER}`],
  [/name of the A\/V Edge.*\[av\.example\.net\]: /s, ENTER],
  [/interface towards the internal network.*\[10\.45\.16\.10\]: /s, `172.16.0.30${ENTER}`],
  [/172\.16\.0\.30 is both internal and external.*\[10\.45\.16\.10\]: /s, ENTER],
  [/own name on the internal network.*\[edge1\.example\.com\]: /s, ENTER],
  [/behind the internal firewall.*\[10\.45\.0\.0\/16\]: /s, `10.45.0.0/16, fd00::/8${ENTER}`],
  [/pool of SIP servers.*\[pool\.example\.net\]: /s, ENTER],
  [/Its servers.*such as fe1\.example\.com=10\.45\.32\.11: /s, ENTER],
  [/This one has no default/, `${MEMBER}:5062, fe2.example.com=10.45.32.12${ENTER}`],
  [/DNS servers.*\[192\.0\.2\.53\]: /s, `none${ENTER}`],
  [/Time servers.*\[none\]: /s, `192.0.2.123${ENTER}`],
  [/administrators log in.*\[none\]: /s, `10.45.99.0/24${ENTER}`],
  [/Folder of the certificates.*\[certificates\]: /s, `/etc/pki/edge/${ENTER}`],
  [/File of the media key.*\[secrets\/pool\.media\]: /s, ENTER],
  [/Make a new media key.*\[yes\]: /s, `no${ENTER}`],
  [/Account of the services.*\[none\]: /s, `edge${ENTER}`],
  [/Folder for what the edge writes.*\[\/var\/lib\/sallyport\/edge\]: /s, ENTER],
];

test('a conversation with mistakes, a step back and defaults ends in a good document', async () => {
  const { status, out, left } = await play(goodHost, [file], conversation);
  assert.deepEqual(left, []);
  assert.equal(status, 0);
  const { host, policy } = document();
  assert.deepEqual(policy.sipDomains, ['example.net', 'example.com']);
  assert.equal(policy.site, 'Head "office"');
  assert.deepEqual(policy.federation.mediaProfiles, ['edge-tunnel', 'ice']);
  assert.equal(policy.features.webConferencing, true);
  assert.equal(policy.features.xmpp, false);
  assert.deepEqual(host.addresses.public, {
    access: ['203.0.113.10'],
    webConferencing: ['203.0.113.10'],
    av: ['203.0.113.30'],
  });
  assert.deepEqual(policy.internalNetworks, ['10.45.0.0/16', 'fd00::/8']);
  assert.deepEqual(
    policy.nextHop.members.map(({ address, port }) => [address, port]),
    [
      ['10.45.32.11', 5062],
      ['10.45.32.12', 5061],
    ],
  );
  assert.deepEqual([host.resolvers, host.timeServers], [[], ['192.0.2.123']]);
  assert.deepEqual(host.administration.remote.networks, ['10.45.99.0/24']);
  assert.equal(host.certificates.access.key, '/etc/pki/edge/access.key');
  assert.equal(host.runAs, 'edge');
  assert.equal(existsSync(join(folder, 'secrets')), false);
  assert.match(out, /ERROR {2}there is no account edge \(host\.runAs\)/);
  assert.match(out, /no interface of this host has the address 172\.16\.0\.30/);
  assert.match(out, /webconf\.example\.net +A +203\.0\.113\.10/);
  assert.match(out, /secrets\/pool\.media +File with the key/);
});

for (const [title, end] of [
  ['Ctrl-C', CTRL_C],
  ['the end of the terminal', CTRL_D],
] as const) {
  test(`${title} leaves nothing`, async () => {
    const { status, error, left } = await play(
      goodHost,
      [file],
      [...conversation.slice(0, 20), [/Its servers/, end]],
    );
    assert.deepEqual(left, []);
    assert.equal(status, 1);
    assert.match(error, /broken off; nothing was written/);
    assert.deepEqual(readdirSync(folder), []);
  });
}

test('a hostile host name and answer are printed without what a terminal would obey', async () => {
  const host = changed({ hostName: 'a\u001b[31m.b\u202e.c', searchDomains: [] });
  const { out, error } = await play(host, [file, '--yes', '--site', '\u001b]0;x\u0007']);
  assert.doesNotMatch(`${out}${error}`.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  assert.match(error, /--sip-domains is missing/, 'a name that is none is no default');
});

test('a survey alone judges by the document that is there, or by the defaults', async () => {
  const taken = {
    transport: 'tcp',
    address: '192.0.2.10',
    port: 443,
    owner: { pid: 812, name: 'nginx' },
  } as const;
  const host = changed({ sockets: [taken], forwardsIpv4: true });
  const usual = await play(host, [file, '--survey-only']);
  assert.equal(usual.status, 1);
  assert.match(usual.out, /interface eth0 +192\.0\.2\.10 .*could be external/);
  assert.match(usual.out, /ERROR {2}this host forwards IPv4 packets\n {2}why .*\n {2}do .*ip_forward = 0/);
  assert.equal(usual.out.includes('nginx'), false, 'which addresses it will have is not known yet');
  await play(goodHost, [file, ...BARE]);
  const { status, out } = await play(host, [file, '--survey-only', '--json']);
  assert.equal(status, 1);
  const { document: judged, findings } = JSON.parse(out) as {
    document: string;
    findings: { rule: string }[];
  };
  assert.equal(judged, file);
  assert.deepEqual(
    findings.map(({ rule }) => rule),
    ['forwarding', 'port-taken'],
  );
  assert.equal((await play(goodHost, [file, '--survey-only'])).status, 0);
  writeFileSync(file, 'version: 2\n');
  const broken = await play(goodHost, [file, '--survey-only']);
  assert.equal(broken.status, 1);
  assert.match(broken.error, /has errors.*sallyport check/);
  assert.equal((await play(goodHost, [file, '--json'])).status, 2);
});

test('servers outside that tell nothing are said, and the document is written all the same', async () => {
  const lonely = changed({ interfaces: goodHost.interfaces.slice(0, 1) });
  const { error } = await play(lonely, [
    file,
    ...BARE,
    '--stun',
    '127.0.0.1:1',
    '--time-server',
    '[::1',
    '--site',
    'x',
  ]);
  assert.match(error, /--stun 127\.0\.0\.1:1: this host has no external address of its family/);
  assert.match(error, /--time-server \[::1/);
});

test('flags alone, through the command line, on this host as it is', async () => {
  const printed = { out: '', error: '' };
  const flags = {
    'sip-domains': 'example.com',
    site: 'Head office',
    features: 'remote-users,media',
    'access-addresses': '192.0.2.10',
    'web-conferencing-addresses': '192.0.2.20',
    'av-addresses': '192.0.2.30',
    'access-name': 'sip.example.com',
    'web-conferencing-name': 'webconf.example.com',
    'av-name': 'av.example.com',
    'internal-addresses': '10.45.16.10',
    'host-name': 'edge1.example.com',
    'internal-networks': '10.45.0.0/16',
    'next-hop-name': 'pool.example.com',
    'next-hop-members': MEMBER,
    resolvers: 'none',
    'time-servers': 'none',
    administrators: 'none',
    certificates: 'certificates',
    'media-key': 'secrets/pool.media',
    'create-media-key': 'yes',
    'run-as': 'none',
    'state-directory': '/var/lib/sallyport/edge',
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const status = await runCommandLine(['init', file, ...args], {
    out(text) {
      printed.out += `${text}\n`;
    },
    error(text) {
      printed.error += `${text}\n`;
    },
  });
  assert.deepEqual([status, printed.error], [0, '']);
  assert.match(printed.out, /no interface of this host has the address 192\.0\.2\.10/);
  assert.equal(document().host.runAs, undefined);
});
