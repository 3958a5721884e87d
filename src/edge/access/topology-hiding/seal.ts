import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';

import { type HashKey, hashKey } from '#protocols/sip';

import { RecentPairs } from './recent-pairs.ts';

/** What a sealed value stands for; a value sealed for one purpose never opens for another. */
export type SealPurpose = 'route-set' | 'target' | 'call-id' | 'partner';

const TAG_BYTES = 12;
/** Longest text that is sealed or opened, in characters; far above any URI or route set that fits in a message. */
export const SEAL_LIMIT = 8192;

/** The secret that seals, and those that open besides: the next one, and some before it. Each at least 16 bytes. */
export interface SealSecrets {
  readonly current: Uint8Array;
  readonly others: readonly Uint8Array[];
}

/** Key objects: given as octets, a key costs four to ten times what is then done with it. */
interface PurposeKeys {
  readonly mac: KeyObject;
  readonly cipher: KeyObject;
  /** The messages of one call show and name the same target and routes again and again. */
  readonly sealed: RecentPairs;
  readonly opened: RecentPairs;
}

/** What is derived from one secret. */
interface SealKey {
  /** Tells secrets apart without telling them: hexadecimal. */
  readonly id: string;
  readonly of: Record<SealPurpose, PurposeKeys>;
  /** Keys the prints by which a request that comes back is known; the same wherever this secret seals. */
  readonly print: HashKey;
}

/**
 * Hides a text from whoever carries it and notices any change to it. The same text gives the same sealed value
 * (synthetic initialisation vector: the authentication tag is the counter block), so a sealed contact stays the
 * same all through a dialog and nothing has to be remembered to open it.
 */
export class Seal {
  #generation = 0;
  /** The one that seals stands first. */
  #keys: readonly [SealKey, ...SealKey[]];

  /** @param secrets the same on every worker and edge that has to open what another one sealed */
  constructor(secrets: SealSecrets) {
    this.#keys = [sealKey(secrets.current), ...secrets.others.map(sealKey)];
  }

  /** Changes with the secrets: what was learnt under another one is to be forgotten. */
  get generation(): number {
    return this.#generation;
  }

  /** The key of prints that strangers see (`loopPrint`). */
  get printKey(): HashKey {
    return this.#keys[0].print;
  }

  /** Other secrets from now on; what was sealed by one that is listed still opens. */
  exchange(secrets: SealSecrets): void {
    const known = new Map(this.#keys.map((key) => [key.id, key]));
    const keyOf = (secret: Uint8Array) => known.get(idOf(secret)) ?? sealKey(secret);
    this.#keys = [keyOf(secrets.current), ...secrets.others.map(keyOf)];
    this.#generation += 1;
  }

  /**
   * base64url; 16 characters more than the text's own encoding.
   * @param by the key that is to seal, when it is still listed, so that a text looks as it did before ({@link keyOf})
   */
  seal(purpose: SealPurpose, text: string, by?: string): string {
    const key = this.#keys.find(({ id }) => id === by) ?? this.#keys[0];
    const { sealed, opened } = key.of[purpose];
    const known = sealed.get(text);
    if (known !== undefined) return known;
    const token = encrypt(key.of[purpose], text);
    sealed.set(text, token);
    opened.set(token, text);
    return token;
  }

  /** The text, or undefined when it was not sealed here for this purpose or was changed since. */
  open(purpose: SealPurpose, token: string): string | undefined {
    return this.#find(purpose, token)?.text;
  }

  /** The id of the key that sealed a value: eight hexadecimal digits. */
  keyOf(purpose: SealPurpose, token: string): string | undefined {
    return this.#find(purpose, token)?.id;
  }

  #find(purpose: SealPurpose, token: string): { readonly id: string; readonly text: string } | undefined {
    for (const { id, of } of this.#keys) {
      const known = of[purpose].opened.get(token);
      if (known !== undefined) return { id, text: known };
    }
    if (token.length > SEAL_LIMIT * 2 || !BASE64URL.test(token)) return undefined;
    const sealed = Buffer.from(token, 'base64url');
    // One value has one spelling: the unused low bits of the last character must be zero.
    if (sealed.length < TAG_BYTES || sealed.toString('base64url') !== token) return undefined;
    for (const { id, of } of this.#keys) {
      const text = decrypt(of[purpose], sealed);
      if (text === undefined) continue;
      of[purpose].opened.set(token, text);
      return { id, text };
    }
    return undefined;
  }
}

const BASE64URL = /^[A-Za-z0-9_-]+$/;

function encrypt({ mac, cipher }: PurposeKeys, text: string): string {
  const plain = Buffer.from(text, 'utf8');
  const sealed = Buffer.allocUnsafe(TAG_BYTES + plain.length);
  tagOf(mac, plain).copy(sealed);
  createCipheriv('aes-128-ctr', cipher, counterBlock(sealed)).update(plain).copy(sealed, TAG_BYTES);
  return sealed.toString('base64url');
}

function decrypt({ mac, cipher }: PurposeKeys, sealed: Buffer): string | undefined {
  const plain = createDecipheriv('aes-128-ctr', cipher, counterBlock(sealed)).update(
    sealed.subarray(TAG_BYTES),
  );
  return timingSafeEqual(tagOf(mac, plain), sealed.subarray(0, TAG_BYTES))
    ? plain.toString('utf8')
    : undefined;
}

function idOf(secret: Uint8Array): string {
  return createHash('sha256').update('sallyport access seal id').update(secret).digest('hex').slice(0, 8);
}

function sealKey(secret: Uint8Array): SealKey {
  if (secret.length < 16) throw new RangeError('a sealing secret has at least 16 bytes');
  return {
    id: idOf(secret),
    print: hashKey(new Uint8Array(hkdfSync('sha256', secret, '', 'sallyport access loop print', 8))),
    of: {
      'route-set': derive(secret, 'route-set'),
      target: derive(secret, 'target'),
      'call-id': derive(secret, 'call-id'),
      partner: derive(secret, 'partner'),
    },
  };
}

function derive(secret: Uint8Array, purpose: SealPurpose): PurposeKeys {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', `sallyport access seal ${purpose}`, 48));
  return {
    mac: createSecretKey(bytes.subarray(0, 32)),
    cipher: createSecretKey(bytes.subarray(32)),
    sealed: new RecentPairs(),
    opened: new RecentPairs(),
  };
}

function tagOf(key: KeyObject, plain: Uint8Array): Buffer {
  return createHmac('sha256', key).update(plain).digest().subarray(0, TAG_BYTES);
}

function counterBlock(sealed: Buffer): Buffer {
  const block = Buffer.alloc(16);
  sealed.copy(block, 0, 0, TAG_BYTES);
  return block;
}
