import type { Disclosure } from './disclosure.ts';
import { RecentPairs } from './recent-pairs.ts';
import type { Seal } from './seal.ts';
import { type PublicPlace, TargetHiding } from './targets.ts';
import { Trails } from './trails.ts';

/** The URI parameter of our external Record-Route and Service-Route that carries what lies behind it. */
export const BEHIND = 'behind';
/** Between route entries of one sealed set; cannot stand in a header field. */
const SEPARATOR = '\n';
/** Begins a hidden Call-ID. */
const MARK = '~';
const HIDDEN_CALL_ID = /^~([A-Za-z0-9_-]+)$/;
/** The Call-ID of a Replaces inside a URI, escaped as URI headers are. */
const REPLACES_IN_URI = /([?&]Replaces=)([^&>;%]+(?:%(?!3B)[0-9A-F]{2}[^&>;%]*)*)/gi;

/**
 * Keeps the inside out of sight and needs no memory for it: what a client is shown in place of internal targets,
 * routes and Call-IDs carries the real ones, sealed, and opens when the client sends it back.
 */
export class TopologyHiding {
  readonly targets: TargetHiding;
  readonly trails: Trails;
  readonly disclosure: Disclosure;
  readonly #seal: Seal;
  /** Values as they were shown last: each response of a call and of its dialog has the same Contact. */
  #shown = new RecentPairs();
  #generation: number;

  constructor(seal: Seal, disclosure: Disclosure, place: PublicPlace) {
    this.#seal = seal;
    this.#generation = seal.generation;
    this.disclosure = disclosure;
    this.targets = new TargetHiding(seal, disclosure, place);
    this.trails = new Trails(seal, place.host);
  }

  /** The `behind` parameter for the route entries that follow ours, the one nearest to us first; '' for none. */
  foldRoutes(entries: readonly string[]): string {
    if (entries.length === 0) return '';
    return `;${BEHIND}=${this.#seal.seal('route-set', entries.join(SEPARATOR))}`;
  }

  /** The entries behind ours; undefined when the parameter is not of our making. */
  unfoldRoutes(behind: string): readonly string[] | undefined {
    return this.#seal.open('route-set', behind)?.split(SEPARATOR);
  }

  /**
   * A Call-ID as a client is shown it; unchanged unless it tells an internal name or address.
   * @param by the key by which it was hidden when the dialog began
   */
  hideCallId(callId: string, by?: string): string {
    return this.disclosure.mentionsInternal(callId) ? MARK + this.#seal.seal('call-id', callId, by) : callId;
  }

  /** The key by which a Call-ID was hidden; undefined for one that is not. */
  keyOfCallId(callId: string): string | undefined {
    if (!callId.startsWith(MARK)) return undefined;
    const hidden = HIDDEN_CALL_ID.exec(callId)?.[1];
    return hidden === undefined ? undefined : this.#seal.keyOf('call-id', hidden);
  }

  /** The real Call-ID; one that is not hidden stays as it is. */
  openCallId(callId: string): string {
    if (!callId.startsWith(MARK)) return callId;
    const hidden = HIDDEN_CALL_ID.exec(callId)?.[1];
    return hidden === undefined ? callId : (this.#seal.open('call-id', hidden) ?? callId);
  }

  /** Replaces, Join, Target-Dialog, In-Reply-To: a Call-ID, perhaps with parameters. */
  hideDialogId(value: string): string {
    return mapFirst(value, (callId) => this.hideCallId(callId));
  }
  openDialogId(value: string): string {
    return mapFirst(value, (callId) => this.openCallId(callId));
  }

  /** Every SIP URI of a field value, and the Call-ID of a Replaces in it. */
  hideUris(value: string): string {
    if (this.#generation !== this.#seal.generation) {
      this.#generation = this.#seal.generation;
      this.#shown = new RecentPairs();
    }
    const known = this.#shown.get(value);
    if (known !== undefined) return known;
    const shown = this.#hideUris(value);
    this.#shown.set(value, shown);
    return shown;
  }
  #hideUris(value: string): string {
    const callIds = value.replace(REPLACES_IN_URI, (_, lead: string, callId: string) => {
      return lead + encodeURIComponent(this.hideCallId(decode(callId)));
    });
    return this.targets.hideIn(callIds);
  }
  openUris(value: string): string {
    const callIds = value.replace(REPLACES_IN_URI, (_, lead: string, callId: string) => {
      return lead + encodeURIComponent(this.openCallId(decode(callId)));
    });
    return this.targets.openIn(callIds);
  }
}

function mapFirst(value: string, change: (callId: string) => string): string {
  const end = value.indexOf(';');
  const callId = end < 0 ? value : value.slice(0, end);
  return change(callId.trim()) + (end < 0 ? '' : value.slice(end));
}

/** Escapes were checked when the message was parsed, but not that they make UTF-8. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
