import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import { RecentPairs } from './recent-pairs.ts';

/** What a sealed value stands for; a value sealed for one purpose never opens for another. */
export type SealPurpose = 'route-set' | 'target' | 'call-id' | 'partner';

const TAG_BYTES = 12;
/** Longest text that is sealed or opened, in characters; far above any URI or route set that fits in a message. */
export const SEAL_LIMIT = 8192;

interface SealKeys {
  readonly mac: Buffer;
  readonly cipher: Buffer;
  /** The messages of one call show and name the same target and routes again and again. */
  readonly sealed: RecentPairs;
  readonly opened: RecentPairs;
}

/**
 * Hides a text from whoever carries it and notices any change to it. The same text gives the same sealed value
 * (synthetic initialisation vector: the authentication tag is the counter block), so a sealed contact stays the
 * same all through a dialog and nothing has to be remembered to open it.
 */
export class Seal {
  readonly #keys: Record<SealPurpose, SealKeys>;

  /** @param secret at least 16 bytes, the same on every worker that has to open what another one sealed */
  constructor(secret: Uint8Array) {
    if (secret.length < 16) throw new RangeError('a sealing secret has at least 16 bytes');
    this.#keys = {
      'route-set': derive(secret, 'route-set'),
      target: derive(secret, 'target'),
      'call-id': derive(secret, 'call-id'),
      partner: derive(secret, 'partner'),
    };
  }

  /** base64url; 16 characters more than the text's own encoding. */
  seal(purpose: SealPurpose, text: string): string {
    const { sealed, opened } = this.#keys[purpose];
    const known = sealed.get(text);
    if (known !== undefined) return known;
    const token = this.#seal(purpose, text);
    sealed.set(text, token);
    opened.set(token, text);
    return token;
  }
  #seal(purpose: SealPurpose, text: string): string {
    const { mac, cipher } = this.#keys[purpose];
    const plain = Buffer.from(text, 'utf8');
    const sealed = Buffer.allocUnsafe(TAG_BYTES + plain.length);
    tagOf(mac, plain).copy(sealed);
    createCipheriv('aes-128-ctr', cipher, counterBlock(sealed)).update(plain).copy(sealed, TAG_BYTES);
    return sealed.toString('base64url');
  }

  /** The text, or undefined when it was not sealed here for this purpose or was changed since. */
  open(purpose: SealPurpose, token: string): string | undefined {
    const { opened } = this.#keys[purpose];
    const known = opened.get(token);
    if (known !== undefined) return known;
    const text = this.#open(purpose, token);
    if (text !== undefined) opened.set(token, text);
    return text;
  }
  #open(purpose: SealPurpose, token: string): string | undefined {
    if (token.length > SEAL_LIMIT * 2 || !BASE64URL.test(token)) return undefined;
    const sealed = Buffer.from(token, 'base64url');
    // One value has one spelling: the unused low bits of the last character must be zero.
    if (sealed.length < TAG_BYTES || sealed.toString('base64url') !== token) return undefined;
    const { mac, cipher } = this.#keys[purpose];
    const plain = createDecipheriv('aes-128-ctr', cipher, counterBlock(sealed)).update(
      sealed.subarray(TAG_BYTES),
    );
    if (!timingSafeEqual(tagOf(mac, plain), sealed.subarray(0, TAG_BYTES))) return undefined;
    return plain.toString('utf8');
  }
}

const BASE64URL = /^[A-Za-z0-9_-]+$/;

function derive(secret: Uint8Array, purpose: SealPurpose): SealKeys {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', `sallyport access seal ${purpose}`, 48));
  return {
    mac: bytes.subarray(0, 32),
    cipher: bytes.subarray(32),
    sealed: new RecentPairs(),
    opened: new RecentPairs(),
  };
}

function tagOf(key: Buffer, plain: Uint8Array): Buffer {
  return createHmac('sha256', key).update(plain).digest().subarray(0, TAG_BYTES);
}

function counterBlock(sealed: Buffer): Buffer {
  const block = Buffer.alloc(16);
  sealed.copy(block, 0, 0, TAG_BYTES);
  return block;
}
