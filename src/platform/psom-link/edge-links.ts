import { EdgeDial, type EdgeDialContext, type EdgeDialSettings, type EdgeSeat } from '#platform/edge-dial';
import type { Connection } from '#platform/net';
import type { ContentAnswer, ContentRequest } from './content.ts';
import { EdgeLink } from './edge-link.ts';
import type { EndState, OutsidePlace, ServiceHello } from './hello.ts';
import type { LinkNotice } from './link-notice.ts';
import { type LinkLimits, PSOM_LINK_ALPN } from './link-transport.ts';
import { declareMeters } from './meters.ts';

/** What a service tells all edges, but for the time. */
export type Announcement = Omit<ServiceHello, 'clock'>;

export interface EdgeLinksSettings extends EdgeDialSettings {
  readonly limits: LinkLimits;
}

export interface EdgeLinksUser {
  /**
   * A participant came by an edge: assign onData and onClose. The first bytes are a whole JOIN whose token the edge has
   * checked; `remote` is where the participant is outside.
   */
  handleParticipant(connection: Connection, by: { readonly edge: string }): void;
  handleContent(request: ContentRequest): Promise<ContentAnswer>;
  /** `handleContent` threw: its request was refused, and everything else goes on. */
  handleFault(edge: string, problem: unknown): void;
  handleReady(edge: string): void;
  /** An edge's place or state is another than before. */
  handleChange(edge: string): void;
  /** A link ended, or an attempt to open one failed. */
  handleEnd(notice: LinkNotice): void;
}

/** What there is to say about an edge. */
export interface EdgeLinkState {
  readonly edge: string;
  readonly address: string;
  /** Undefined while there is no link. */
  readonly state: EndState | undefined;
  readonly place: OutsidePlace | undefined;
  /** Of this service, as it checks tokens with; undefined when it did not say. */
  readonly keys: readonly string[] | undefined;
  readonly participants: number;
}

/** The service's end: one link to each edge of the pool, opened again for ever. */
export class EdgeLinks {
  readonly #context: EdgeDialContext;
  readonly #user: EdgeLinksUser;
  readonly #meters: ReturnType<typeof declareMeters>;
  readonly #dial: EdgeDial<EdgeLink>;
  #settings: EdgeLinksSettings;
  #announcement: Announcement;

  constructor(
    context: EdgeDialContext,
    settings: EdgeLinksSettings,
    announcement: Announcement,
    user: EdgeLinksUser,
  ) {
    this.#context = context;
    this.#settings = settings;
    this.#announcement = announcement;
    this.#user = user;
    this.#meters = declareMeters(context.metrics);
    this.#dial = new EdgeDial(context, { alpn: [PSOM_LINK_ALPN] }, settings, {
      open: (connection, seat) => this.#open(connection, seat),
      leave: (link) => link.stop('local'),
      handleFailure: ({ name, address }, { code, message }) =>
        user.handleEnd({ peer: name, address, reason: 'not-connected', detail: `${code} ${message}` }),
    });
    this.#dial.configure(settings);
  }

  states(): EdgeLinkState[] {
    return this.#dial.links().map(({ target: { name, address }, link }) => ({
      edge: name,
      address,
      state: link?.hello?.state,
      place: link?.hello?.place,
      keys: link?.hello?.keys,
      participants: link?.participants ?? 0,
    }));
  }
  /** Where participants outside can come in right now, in the order of the settings. */
  places(): OutsidePlace[] {
    return this.states().flatMap(({ state, place }) =>
      state === 'ready' && place !== undefined ? [place] : [],
    );
  }

  /** Edges that are not listed any more are left; links to the others stay. */
  configure(settings: EdgeLinksSettings): void {
    this.#settings = settings;
    this.#dial.configure(settings);
  }
  /** Tells all edges; those that come later hear it first of all. */
  announce(announcement: Announcement): void {
    this.#announcement = announcement;
    for (const { link } of this.#dial.links()) link?.say();
  }
  close(): void {
    this.#dial.close();
    for (const { link } of this.#dial.links()) link?.stop('shutdown');
  }

  #open(connection: Connection, seat: EdgeSeat): EdgeLink {
    const { name, address } = seat.target;
    return new EdgeLink({
      connection,
      edge: name,
      limits: this.#settings.limits,
      clock: this.#context.clock,
      owner: {
        hello: () => ({ ...this.#announcement, clock: Math.round(this.#context.clock.wall()) }),
        handleHello: (_, first) => {
          seat.succeeded();
          if (!first) return this.#user.handleChange(name);
          this.#meters.opened.inc();
          this.#user.handleReady(name);
        },
        handleParticipant: (_, participant) => {
          this.#meters.participants.inc();
          this.#user.handleParticipant(participant, { edge: name });
        },
        handleContent: (request) => {
          this.#meters.contents.inc();
          return this.#user.handleContent(request);
        },
        handleFault: (_, problem) => this.#user.handleFault(name, problem),
        handleEnd: (_, reason) => {
          seat.ended();
          this.#meters.ended.inc();
          this.#user.handleEnd({ peer: name, address, reason, detail: undefined });
        },
      },
    });
  }
}
