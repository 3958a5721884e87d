import { sha256 } from '../canonical.ts';
import { linkHash, makeLink, NO_HASH, type SignedLink } from '../link.ts';
import { type Entry, manifestText, POLICY_ENTRY } from '../manifest.ts';
import type { Push } from '../push.ts';
import { makeSigningKey, type SigningKey } from '../signing-key.ts';

export const EDGE = 'edge1.example.com';

/** A store with one edge, for tests: publishes versions and keeps the links. */
export class TestStore {
  readonly key: SigningKey;
  readonly edge: string;
  readonly links: SignedLink[] = [];
  readonly manifests: string[] = [];
  readonly entries = new Map<string, Uint8Array>();
  #version = 0;

  constructor(edge = EDGE, key = makeSigningKey()) {
    this.edge = edge;
    this.key = key;
  }

  publish(
    policy: string,
    secrets: Readonly<Record<string, Uint8Array>> = {},
    version = this.#version + 1,
  ): void {
    const bytes = new Map<string, [Uint8Array, boolean]>([[POLICY_ENTRY, [Buffer.from(policy), false]]]);
    for (const [name, box] of Object.entries(secrets)) bytes.set(name, [box, true]);
    const entries: Entry[] = [];
    for (const [name, [content, sealed]] of bytes) {
      const hash = sha256(content);
      this.entries.set(hash, content);
      entries.push({ name, sha256: hash, size: content.length, sealed });
    }
    const manifest = manifestText({ entries, author: 'tester', reason: 'a test', product: '0' });
    this.manifests.push(manifest);
    this.#version = version;
    const previous = this.links.at(-1);
    this.links.push(
      makeLink(this.key, {
        edge: this.edge,
        version,
        previous: previous === undefined ? NO_HASH : linkHash(previous.text),
        manifest: sha256(manifest),
        created: 1_700_000_000_000 + version,
      }),
    );
  }

  /** Links `from` to `to` (counted from 0), the last one's manifest and all of its entries. */
  push(from = 0, to = this.links.length - 1): Push {
    const manifest = this.manifests[to] ?? '';
    const wanted = new Set(
      (JSON.parse(manifest) as { entries: Entry[] }).entries.map((entry) => entry.sha256),
    );
    const entries = new Map([...this.entries].filter(([hash]) => wanted.has(hash)));
    return { links: this.links.slice(from, to + 1), manifest, entries };
  }

  head(at = this.links.length - 1): { version: number; hash: string } {
    const text = this.links[at]?.text ?? '';
    return { version: (JSON.parse(text) as { version: number }).version, hash: linkHash(text) };
  }
}
