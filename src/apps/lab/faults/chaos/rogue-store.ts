import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { literalLookup } from '#kernel';
import {
  type ChainHead,
  decodePush,
  type Entry,
  encodePush,
  makeLink,
  manifestText,
  type Push,
  parseManifest,
  REPLICATION_PATHS,
  readSigningKey,
  type SigningKey,
  seal,
  sha256,
} from '#protocols/replication';
import type { ManagedPerimeter } from '../../testing/managed-perimeter.ts';

/** What a forged version differs in from the one that the store published last. */
export interface Forgery {
  readonly signer?: SigningKey;
  readonly edge?: string;
  readonly version?: number;
  /** The version that it claims to follow; by default what the edge runs. */
  readonly previous?: string;
  readonly policy?: string;
  /** Seals one more secret, to this public key. */
  readonly sealTo?: string;
}

/**
 * Somebody with the certificate of a management store, and with its signing key where an attack needs that: says to the
 * edge whatever a test wants.
 */
export class RogueStore {
  readonly #managed: ManagedPerimeter;
  readonly key: SigningKey;

  constructor(managed: ManagedPerimeter) {
    this.#managed = managed;
    const file = join(managed.perimeter.plan.folder, 'internal-state', 'management.key');
    const key = readSigningKey(readFileSync(file, 'utf8'));
    if (key === undefined) throw new Error(`no key in ${file}`);
    this.key = key;
  }

  /** What the store published last, whole. */
  async newest(): Promise<{ readonly bytes: Buffer; readonly push: Push }> {
    const { edge } = this.#managed.perimeter.plan.names;
    const { snapshot } = (await this.#managed.manage('export', { edge })) as { snapshot: string };
    const bytes = Buffer.from(snapshot, 'base64');
    const push = decodePush(bytes);
    if (!push.ok) throw new Error(push.error.failure.message);
    return { bytes, push: push.value };
  }

  /** A version that looks like one of the store. */
  async forge(head: ChainHead, forgery: Forgery = {}): Promise<Push> {
    const { push } = await this.newest();
    const manifest = parseManifest(push.manifest);
    if (!manifest.ok) throw new Error(manifest.error.failure.message);
    const entries = new Map(push.entries);
    const keep = (name: string, bytes: Uint8Array, sealed: boolean): Entry => {
      const hash = sha256(bytes);
      entries.set(hash, bytes);
      return { name, sha256: hash, size: bytes.length, sealed };
    };
    const edge = forgery.edge ?? this.#managed.perimeter.plan.names.edge;
    const list = manifest.value.entries.map((entry) => {
      if (entry.name !== 'policy.yaml' || forgery.policy === undefined) return entry;
      entries.delete(entry.sha256);
      return keep(entry.name, Buffer.from(forgery.policy), false);
    });
    if (forgery.sealTo !== undefined) {
      const name = 'secrets/forged';
      const box = seal(Buffer.from('secret'), forgery.sealTo, { edge, name });
      if (box === undefined) throw new Error('nothing can be sealed to that');
      list.push(keep(name, box, true));
    }
    const text = manifestText({ ...manifest.value, entries: list, reason: 'forged' });
    const link = makeLink(forgery.signer ?? this.key, {
      edge,
      version: forgery.version ?? head.version + 1,
      previous: forgery.previous ?? head.hash,
      manifest: sha256(text),
      created: Date.now(),
    });
    return { links: [link], manifest: text, entries };
  }

  /** Pushes, and gives the status of the answer. */
  push(content: Push | Uint8Array): Promise<number> {
    let body = content instanceof Uint8Array ? content : undefined;
    if (body === undefined) {
      const encoded = encodePush(content as Push);
      if (!encoded.ok) throw new Error(encoded.error.failure.message);
      body = encoded.value;
    }
    return this.#post(REPLICATION_PATHS.push, body);
  }
  /** The same with an activation, whatever it is. */
  activate(content: Uint8Array): Promise<number> {
    return this.#post(REPLICATION_PATHS.activation, content);
  }

  #post(path: string, body: Uint8Array): Promise<number> {
    const { files, plan } = this.#managed.perimeter;
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: plan.internal.address,
        port: 4443,
        localAddress: plan.frontEnd.address,
        lookup: literalLookup,
        servername: plan.names.edge,
        path,
        method: 'POST',
        headers: { 'content-length': body.byteLength },
        ca: readFileSync(files.authority),
        cert: readFileSync(files.frontEnd.certificate),
        key: readFileSync(files.frontEnd.key),
        agent: false,
      });
      outgoing.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
