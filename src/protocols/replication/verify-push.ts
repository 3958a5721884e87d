import { ok, type Result } from '#kernel';
import { sha256 } from './canonical.ts';
import { type ChainHead, type Link, linkHash, NO_HASH, openLink, type SignedLink } from './link.ts';
import { type Entry, type Manifest, parseManifest } from './manifest.ts';
import type { Push } from './push.ts';
import { type Refusal, refuse } from './refusal.ts';

/** What this edge knows when a snapshot arrives. */
export interface Expectation {
  /** host.name of this edge. */
  readonly edge: string;
  /** Fingerprints of the keys whose signature counts. */
  readonly signers: readonly string[];
  /** What runs; undefined before the first load. */
  readonly head: ChainHead | undefined;
  /** Bytes of an entry that this edge has already; their hash is checked again. */
  readonly held: (hash: string) => Uint8Array | undefined;
}

/** A snapshot that is signed, descends from what runs, and is whole. */
export interface VerifiedSnapshot {
  readonly head: ChainHead;
  readonly link: Link;
  readonly signedLink: SignedLink;
  readonly manifest: Manifest;
  readonly manifestText: string;
  /** The bytes of each entry of the manifest, in its order; sealed ones still sealed. */
  readonly entries: readonly { readonly entry: Entry; readonly bytes: Uint8Array }[];
  /** It is what runs already. */
  readonly unchanged: boolean;
}

/** Signature of every link, then the chain, then the manifest, then every entry. */
export function verifyPush(push: Push, expected: Expectation): Result<VerifiedSnapshot, Refusal> {
  const chain = verifyChain(push.links, expected);
  if (!chain.ok) return chain;
  const { link, signedLink, head } = chain.value;
  if (sha256(push.manifest) !== link.manifest)
    return refuse('malformed', 'the manifest is not the signed one');
  const manifest = parseManifest(push.manifest);
  if (!manifest.ok) return manifest;
  const entries = gather(push, manifest.value, expected);
  if (!entries.ok) return entries;
  return ok({
    head,
    link,
    signedLink,
    manifest: manifest.value,
    manifestText: push.manifest,
    entries: entries.value,
    unchanged: head.hash === expected.head?.hash,
  });
}

interface ChainEnd {
  readonly head: ChainHead;
  readonly link: Link;
  readonly signedLink: SignedLink;
}

function verifyChain(links: readonly SignedLink[], expected: Expectation): Result<ChainEnd, Refusal> {
  let before: ChainHead | undefined;
  let end: ChainEnd | undefined;
  let reachesOurs = expected.head === undefined;
  for (const signedLink of links) {
    const opened = openLink(signedLink, expected.signers);
    if (!opened.ok) return opened;
    const link = opened.value;
    if (link.edge !== expected.edge)
      return refuse('other-edge', `${link.edge}, this one is ${expected.edge}`);
    const head = { version: link.version, hash: linkHash(signedLink.text) };
    before ??= expected.head?.hash === link.previous ? expected.head : undefined;
    if (before !== undefined && (link.previous !== before.hash || link.version <= before.version)) {
      return refuse('fork', `version ${link.version} does not follow version ${before.version}`);
    }
    reachesOurs ||= head.hash === expected.head?.hash || link.previous === expected.head?.hash;
    before = head;
    end = { head, link, signedLink };
  }
  if (end === undefined) return refuse('incomplete', 'no link');
  return judgeEnd(end, reachesOurs, expected.head);
}

/** A chain of which we know nothing begins anywhere (the first load); otherwise it must pass through our own link. */
function judgeEnd(
  end: ChainEnd,
  reachesOurs: boolean,
  ours: ChainHead | undefined,
): Result<ChainEnd, Refusal> {
  if (ours === undefined || end.head.hash === ours.hash) return ok(end);
  if (end.head.version < ours.version) {
    return refuse('old-version', `version ${end.head.version}, version ${ours.version} runs`);
  }
  if (end.head.version === ours.version) {
    return refuse('fork', `another version ${ours.version} than the one that runs`);
  }
  if (!reachesOurs) {
    const from = end.link.previous === NO_HASH ? 'the beginning' : 'another history';
    return refuse('fork', `version ${end.head.version} comes from ${from}, not from version ${ours.version}`);
  }
  return ok(end);
}

function gather(
  push: Push,
  manifest: Manifest,
  expected: Expectation,
): Result<VerifiedSnapshot['entries'], Refusal> {
  const wanted = new Set(manifest.entries.map((entry) => entry.sha256));
  for (const hash of push.entries.keys()) {
    if (!wanted.has(hash))
      return refuse('malformed', 'an entry that the manifest does not list, or a changed one');
  }
  const entries: { entry: Entry; bytes: Uint8Array }[] = [];
  for (const entry of manifest.entries) {
    const bytes = push.entries.get(entry.sha256) ?? expected.held(entry.sha256);
    if (bytes === undefined) return refuse('incomplete', `${entry.name} is neither sent nor here`);
    if (bytes.length !== entry.size || sha256(bytes) !== entry.sha256) {
      return refuse('malformed', `${entry.name} is not what was signed`);
    }
    entries.push({ entry, bytes });
  }
  return ok(entries);
}
