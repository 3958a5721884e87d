import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadVerifiedEdge } from '#platform/replica-store';
import {
  type ChainHead,
  linkHash,
  makeSealingKey,
  makeSigningKey,
  PUSH_BYTES,
  type Push,
} from '#protocols/replication';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import { RogueStore } from './chaos/rogue-store.ts';

/*
 * Snapshots that are not what they should be, sent by somebody with the certificate of the store. Each is refused; the
 * edge runs on what it had; and `config status` inside says what was refused, why, and what to do.
 */
const NETWORK = 80;

let managed: ManagedPerimeter;
let rogue: RogueStore;
before(async () => {
  managed = await ManagedPerimeter.start(NETWORK);
  rogue = new RogueStore(managed);
});
after(async () => {
  await managed.perimeter.stop();
});

/** The version that the edge runs. */
async function head(): Promise<ChainHead> {
  const { push } = await rogue.newest();
  const text = push.links.at(-1)?.text ?? '';
  return { version: (JSON.parse(text) as { version: number }).version, hash: linkHash(text) };
}

/** Pushes and expects a refusal with this code, which the operator inside is shown; nothing has changed on the edge. */
async function isRefused(content: Push | Uint8Array, code: string, answers = 409): Promise<void> {
  const { there } = await managed.upToDate();
  const realm = realmOnDisk();
  assert.equal(await rogue.push(content), answers);
  await managed.manage('replicate', { author: 'tester' });
  await managed.perimeter.until(`${code} is shown`, async () => {
    const { notices } = await managed.row();
    return notices.some((notice) => notice.code === 'SLP-CFG-0038' && notice.message.includes(code));
  });
  const row = await managed.row();
  assert.equal(row.state, 'up-to-date');
  assert.equal(row.there, there);
  assert.equal(realmOnDisk(), realm);
  const status = await managed.cli('config', 'status', '--socket', managed.perimeter.files.internalSocket);
  assert.match(status.text, new RegExp(`SLP-CFG-0038 .* refused: ${code} .*\\n  Find out who pushed it`));
}
function realmOnDisk(): string {
  const loaded = loadVerifiedEdge(managed.perimeter.files.edgeDocument);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.value.policy.relay.realm;
}
/** Another version, so that the next refusal is not taken for the last one. */
async function goOn(): Promise<void> {
  const { there } = await managed.row();
  await managed.set('policy.relay.realm', `after-${there}.test`);
  assert.deepEqual((await managed.upToDate()).notices, [], 'the next push ends the notice');
}

test('a snapshot that was corrupted on its way, in its policy, its manifest or its link', async () => {
  const damaged = await rogue.forge(await head());
  const entries = new Map([...damaged.entries].map(([hash, bytes]) => [hash, Buffer.from(bytes)]));
  const [first] = entries.values();
  assert.ok(first);
  first[0] = (first[0] ?? 0) ^ 1;
  await isRefused({ ...damaged, entries }, 'SLP-CFG-0002');
  await goOn();
  const { push } = await rogue.newest();
  await isRefused({ ...(await rogue.forge(await head())), manifest: push.manifest }, 'SLP-CFG-0002');
  await goOn();
  const forged = await rogue.forge(await head());
  const [link] = forged.links;
  assert.ok(link);
  const changed = { ...link, text: link.text.replace(/"created":\d/, '"created":9') };
  await isRefused({ ...forged, links: [changed] }, 'SLP-CFG-0005');
  await goOn();
});

test('a snapshot that is cut off', async () => {
  const { bytes } = await rogue.newest();
  await isRefused(bytes.subarray(0, bytes.length - 100), 'SLP-CFG-0002', 400);
  await goOn();
  const forged = await rogue.forge(await head(), { policy: 'policy: {}\n' });
  await isRefused({ ...forged, entries: new Map() }, 'SLP-CFG-0009');
  await goOn();
});

test('a snapshot that was recorded and is played again', async () => {
  const recorded = await rogue.newest();
  await goOn();
  await isRefused(recorded.bytes, 'SLP-CFG-0007');
  await goOn();
});

test('links in another order than they were signed in', async () => {
  const before = await head();
  const first = await rogue.forge(before);
  const [link] = first.links;
  assert.ok(link);
  const middle = { version: before.version + 1, hash: linkHash(link.text) };
  const second = await rogue.forge(middle, { policy: 'policy: {}\n' });
  await isRefused({ ...second, links: [...second.links, link] }, 'SLP-CFG-0008');
  await goOn();
  await isRefused(second, 'SLP-CFG-0008');
  await goOn();
});

test('a snapshot that a stranger signed', async () => {
  await isRefused(await rogue.forge(await head(), { signer: makeSigningKey() }), 'SLP-CFG-0004');
  await goOn();
});

test('a version that does not follow the one that runs, though it is newer and signed', async () => {
  await isRefused(await rogue.forge(await head(), { previous: 'a'.repeat(64) }), 'SLP-CFG-0008');
  await goOn();
  const { version, hash } = await head();
  await isRefused(await rogue.forge({ version: version - 1, hash }), 'SLP-CFG-0008');
  await goOn();
});

test('a snapshot for another edge, and a secret that is sealed to another one', async () => {
  await isRefused(await rogue.forge(await head(), { edge: 'edge2.int.lab.test' }), 'SLP-CFG-0006');
  await goOn();
  const sealed = await rogue.forge(await head(), { sealTo: makeSealingKey().publicKey });
  await isRefused(sealed, 'SLP-CFG-0010');
  await goOn();
});

test('a snapshot that is too large', async () => {
  await isRefused(Buffer.alloc(PUSH_BYTES + 1, 0x20), 'SLP-CFG-0001', 413);
  await goOn();
});

test('a signed policy that no edge may run', async () => {
  const forged = await rogue.forge(await head(), { policy: 'policy: { sipDomains: [] }\n' });
  const { there } = await managed.row();
  assert.equal(await rogue.push(forged), 409);
  await managed.manage('replicate', { author: 'tester' });
  await managed.perimeter.until('it is shown', async () =>
    (await managed.row()).notices.some(({ message }) =>
      /policy\.yaml:1:1: policy\.site is missing/.test(message),
    ),
  );
  assert.equal((await managed.row()).there, there);
  await goOn();
});
