import { type Random, randomToken } from '#kernel';
import type { ServerTransaction } from '#protocols/sip';
import type { RespondOptions } from './options.ts';

const TAG_LENGTH = 16;

/** To tags of responses of our own making: the same one in every response of a transaction (RFC 3261 §8.2.6.2). */
export class ToTags {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  fresh(): string {
    return randomToken(this.#random, TAG_LENGTH);
  }
  of(transaction: ServerTransaction): string {
    transaction.toTag ??= this.fresh();
    return transaction.toTag;
  }
  /** The options with a tag, where the response needs one and has none. */
  complete(transaction: ServerTransaction, status: number, options: RespondOptions): RespondOptions {
    if (status === 100 || options.toTag !== undefined || transaction.request.to.tag !== undefined)
      return options;
    return { ...options, toTag: this.of(transaction) };
  }
}
