import type { FuzzTarget } from '#tools/fuzz';
import { decodeActivation, encodeActivation, makeActivation, verifyActivation } from './activation.ts';
import { canonicalJson, parseCanonical } from './canonical.ts';
import { openLink } from './link.ts';
import { manifestText, parseManifest } from './manifest.ts';
import { decodePush, encodePush } from './push.ts';
import { edgeReport } from './report.ts';
import { makeSealingKey, seal, unseal } from './sealed-secret.ts';
import { EDGE, TestStore } from './testing/chain.ts';
import { verifyPush } from './verify-push.ts';

const store = new TestStore();
store.publish('policy: {}\n', { 'secrets/a': Buffer.from('sealed') });
store.publish('policy: { site: x }\n');
const encoded = encodePush(store.push());
if (!encoded.ok) throw new Error('no seed');
const signers = [store.key.fingerprint];
const genuine = new Set(store.links.map((link) => link.text));
const sealing = makeSealingKey();
const context = { edge: EDGE, name: 'secrets/a' };
const box = seal(Buffer.from('secret'), sealing.publicKey, context);

const keys = { media: 'secrets/a', flow: 'secrets/b' };
const head = store.head(0);
const activation = makeActivation(store.key, { edge: EDGE, version: head.version, link: head.hash, keys });
const expected = { edge: EDGE, signers, head, secrets: new Set(Object.values(keys)), kept: undefined };

/** Whatever is taken was signed by the store, to the letter; whatever is read writes itself again as it was. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'replication/push',
    seeds: [encoded.value],
    run(input) {
      const push = decodePush(input);
      if (!push.ok) return;
      const verdict = verifyPush(push.value, { edge: EDGE, signers, head: undefined, held: () => undefined });
      if (!verdict.ok) return;
      if (!genuine.has(verdict.value.signedLink.text)) throw new Error('took what was never signed');
      for (const { bytes, entry } of verdict.value.entries) {
        if (!Buffer.from(store.entries.get(entry.sha256) ?? []).equals(bytes))
          throw new Error('took a changed entry');
      }
    },
  },
  {
    name: 'replication/link',
    seeds: store.links.map((link) => Buffer.from(link.text)),
    run(input) {
      const text = Buffer.from(input).toString('utf8');
      const signature = store.links[0]?.signature ?? '';
      const opened = openLink({ text, signature }, signers);
      if (opened.ok && !genuine.has(text)) throw new Error('took a link that was never signed');
    },
  },
  {
    name: 'replication/activation',
    seeds: [encodeActivation(activation)],
    run(input) {
      const signed = decodeActivation(input);
      const verdict = signed.ok ? verifyActivation(signed.value, expected) : signed;
      if (verdict.ok && signed.ok && signed.value.text !== activation.text)
        throw new Error('took an activation that was never signed');
    },
  },
  {
    name: 'replication/manifest',
    seeds: store.manifests.map((manifest) => Buffer.from(manifest)),
    run(input) {
      const text = Buffer.from(input).toString('utf8');
      const manifest = parseManifest(text);
      if (manifest.ok && manifestText(manifest.value) !== text)
        throw new Error('a manifest with two spellings');
      const value = parseCanonical(text);
      if (value !== undefined && canonicalJson(value as never) !== text) throw new Error('not canonical');
    },
  },
  {
    name: 'replication/sealed-secret',
    seeds: [box ?? Buffer.alloc(60)],
    run(input) {
      const opened = unseal(input, sealing, context);
      if (opened !== undefined && opened.toString() !== 'secret')
        throw new Error('opened a box that nobody sealed');
    },
  },
  {
    name: 'replication/report',
    seeds: [
      Buffer.from(
        JSON.stringify({
          edge: EDGE,
          product: '0',
          formats: { oldest: 1, newest: 1 },
          now: 1,
          sealingKey: sealing.publicKey,
          policy: 'local',
          head: null,
          held: [],
          appliedAt: null,
          last: null,
          settings: [],
          healthy: true,
        }),
      ),
    ],
    run(input) {
      try {
        edgeReport.safeParse(JSON.parse(Buffer.from(input).toString('utf8')));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    },
  },
];
