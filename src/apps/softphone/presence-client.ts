import {
  type Note,
  PIDF_TYPE,
  type PresenceDocument,
  readPidf,
  readWatcherInfo,
  type Show,
  WATCHER_INFO_TYPE,
  type Watcher,
  writePidf,
  writeWatcherInfo,
} from '#protocols/presence';
import type { Phone } from './phone.ts';
import { Subscription } from './subscription.ts';

/** What a phone shows of its user. */
export interface OwnPresence {
  readonly basic?: 'open' | 'closed';
  readonly show?: Show;
  readonly note?: Note;
}

/** What is heard of somebody: no document while nothing may be seen. */
export interface HeardPresence {
  readonly state: 'active' | 'pending' | 'terminated';
  readonly reason?: string;
  readonly document?: PresenceDocument;
}

const EXPIRES_SECONDS = 3600;

/** Presence on a phone: shows its user, watches others, and decides who may watch. */
export class PresenceClient {
  readonly #phone: Phone;
  #etag: string | undefined;

  constructor(phone: Phone) {
    this.#phone = phone;
  }

  /** PUBLISH (RFC 3903); replaces what this phone published before. */
  async publish({ basic = 'open', show, note }: OwnPresence): Promise<void> {
    const entity = this.#phone.address;
    const body = writePidf({
      entity,
      tuples: [
        {
          ...{ id: 'phone', basic, notes: note === undefined ? [] : [note], contact: { uri: entity } },
          ...(show === undefined ? {} : { show }),
        },
      ],
      ...{ notes: [], activities: [] },
    });
    await this.#publish(EXPIRES_SECONDS, body);
  }
  /** This phone shows nothing any more. */
  async withdraw(): Promise<void> {
    if (this.#etag !== undefined) await this.#publish(0);
    this.#etag = undefined;
  }
  async #publish(expires: number, body?: Buffer): Promise<void> {
    const headers: (readonly [string, string])[] = [
      ['Event', 'presence'],
      ['Expires', `${expires}`],
      ...(this.#etag === undefined ? [] : [['SIP-If-Match', this.#etag] as const]),
    ];
    const plan = this.#phone.plan('PUBLISH', this.#phone.address);
    const response = await this.#phone.request(
      body === undefined
        ? { ...plan, headers }
        : { ...plan, headers: [...headers, ['Content-Type', PIDF_TYPE]], body },
    );
    this.#etag = response.header('SIP-ETag');
  }

  /** Watches somebody (RFC 3856). */
  watch(
    to: string,
    onChange: (heard: HeardPresence) => void,
    expires = EXPIRES_SECONDS,
  ): Promise<Subscription> {
    return Subscription.begin(this.#phone, {
      ...{ to, event: 'presence', accept: PIDF_TYPE, expires },
      onNotify: (state, body) => {
        const read = body.length === 0 ? undefined : readPidf(body);
        onChange({
          state: state.state,
          ...(state.state === 'terminated' && state.reason !== undefined ? { reason: state.reason } : {}),
          ...(read?.ok === true ? { document: read.value } : {}),
        });
      },
    });
  }

  /** Who watches the own user (RFC 3857). */
  watchers(onChange: (watchers: readonly Watcher[]) => void): Promise<Subscription> {
    return Subscription.begin(this.#phone, {
      ...{ to: this.#phone.address, event: 'presence.winfo', accept: WATCHER_INFO_TYPE },
      expires: EXPIRES_SECONDS,
      onNotify: (_state, body) => {
        const read = body.length === 0 ? undefined : readWatcherInfo(body);
        if (read?.ok === true) onChange(read.value.watchers);
      },
    });
  }
  /** Lets somebody see the own user or not: `docs/protocols/watcher-approval.md`. */
  async decide(watcher: string, decision: 'allow' | 'block'): Promise<void> {
    const { address } = this.#phone;
    const allowed = decision === 'allow';
    await this.#phone.request({
      ...this.#phone.plan('PUBLISH', address),
      headers: [
        ['Event', 'presence.winfo'],
        ['Content-Type', WATCHER_INFO_TYPE],
      ],
      body: writeWatcherInfo({
        ...{ version: 0, state: 'partial', resource: address, package: 'presence' },
        watchers: [
          {
            ...{ uri: watcher, id: 'decided' },
            status: allowed ? 'active' : 'terminated',
            event: allowed ? 'approved' : 'rejected',
          },
        ],
      }),
    });
  }
}
