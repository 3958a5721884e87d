import { formatSipUri, parseSipUri, type SipUri } from '#protocols/sip';
import type { Disclosure } from './disclosure.ts';
import { RecentPairs } from './recent-pairs.ts';
import type { Seal } from './seal.ts';

/** Begins the user part of a hidden target; no address of record of this edge's own host name can exist. */
const MARK = '~';
/** SIP URIs inside a field value that is not parsed further: Refer-To, Referred-By and their like. */
const URI_IN_TEXT = /\bsips?:[^\s<>"?,;]+(?:;[^\s<>"?,]+)?/gi;

/** SIP URIs of one value that are hidden: sealing is what costs, and peers decide how much of it there is. */
const MOST_URIS = 16;
const NOWHERE = 'sip:hidden.invalid';

export interface PublicPlace {
  /** External name of the edge, lower case. */
  readonly host: string;
  readonly port: number;
}

/**
 * Remote targets as clients see them: a URI at the edge whose user part is the sealed real one. A request that
 * comes back with it as its Request-URI is opened again, so nothing is remembered for a dialog.
 */
export class TargetHiding {
  readonly #seal: Seal;
  readonly #disclosure: Disclosure;
  readonly #place: PublicPlace;
  /** Of the URIs that were hidden and opened last: taking one apart costs more than all else, and a call names each several times. */
  #hidden = new RecentPairs();
  #opened = new RecentPairs();
  #generation: number;

  constructor(seal: Seal, disclosure: Disclosure, place: PublicPlace) {
    this.#seal = seal;
    this.#disclosure = disclosure;
    this.#place = place;
    this.#generation = seal.generation;
  }

  /** The URI that a client is shown for `uri`; the same text when everybody may see it. */
  hide(uri: string): string {
    this.#forgetOlder();
    const known = this.#hidden.get(uri);
    if (known !== undefined) return known;
    const shown = this.#hide(uri);
    this.#hidden.set(uri, shown);
    return shown;
  }
  #hide(uri: string): string {
    const parsed = parseSipUri(uri);
    if (!parsed.ok || this.#mayBeSeen(parsed.value)) return uri;
    const { scheme } = parsed.value;
    const transport = scheme === 'sips' ? '' : ';transport=tls';
    const token = this.#seal.seal('target', uri);
    return `${scheme}:${MARK}${token}@${this.#place.host}:${this.#place.port}${transport}`;
  }

  /** The real URI behind a hidden one; undefined when `uri` is not a hidden one of ours. */
  open(uri: string): string | undefined {
    const at = uri.indexOf(`:${MARK}`);
    if (at !== 3 && at !== 4) return undefined;
    this.#forgetOlder();
    const known = this.#opened.get(uri);
    if (known !== undefined) return known;
    const real = this.#open(uri);
    if (real !== undefined) this.#opened.set(uri, real);
    return real;
  }
  #open(uri: string): string | undefined {
    const parsed = parseSipUri(uri);
    if (!parsed.ok || parsed.value.host.toLowerCase() !== this.#place.host) return undefined;
    const { user, password } = parsed.value;
    // Nothing may ride along beside the token.
    return user === undefined || password !== undefined
      ? undefined
      : this.#seal.open('target', user.slice(MARK.length));
  }

  /** Other secrets seal now, or open no longer. */
  #forgetOlder(): void {
    if (this.#generation === this.#seal.generation) return;
    this.#generation = this.#seal.generation;
    this.#hidden = new RecentPairs();
    this.#opened = new RecentPairs();
  }

  /** Hides every SIP URI inside a field value; of more than anybody needs, the others are lost. */
  hideIn(value: string): string {
    let left = MOST_URIS;
    return value.replace(URI_IN_TEXT, (uri) => (left-- > 0 ? this.hide(uri) : NOWHERE));
  }

  /** Opens every hidden URI inside a field value; URI headers after a `?` stay where they are. */
  openIn(value: string): string {
    if (!value.includes(`:${MARK}`)) return value;
    return value.replace(URI_IN_TEXT, (uri) => this.open(uri) ?? uri);
  }

  #mayBeSeen(uri: SipUri): boolean {
    if (!this.#disclosure.isPublic(uri.host)) return false;
    return uri.parameters.size === 0 || !this.#disclosure.mentionsInternal(formatSipUri(uri));
  }
}
