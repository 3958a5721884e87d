import { request } from 'node:http';
import { FailureError, failure, type Random } from '#kernel';
import { ConnectionStream } from '#platform/net';
import type { ConferenceAddress, Place } from '#protocols/conference';
import {
  type ChannelUser,
  MeetingSession,
  type SessionTransport,
  type Who,
} from '#protocols/meeting-session';
import type { MeetingCommands, MeetingSnapshot, UploadSource } from '#protocols/psom';
import { NodeTransport, type NodeTransportOptions } from './node-transport.ts';

export interface ParticipantOptions extends NodeTransportOptions {
  readonly random: Random;
  readonly conference: ConferenceAddress;
  /** Of guests; users need none. */
  readonly key: string;
  readonly who: Who;
}

/** Longest wait for something that ought to happen, milliseconds. */
const DEADLINE_MS = 20_000;

/** Somebody in a meeting without a screen: joins by SIP, sees and does what a browser would. */
export class Participant {
  readonly session: MeetingSession;
  readonly #options: ParticipantOptions;
  readonly #transport: NodeTransport;
  readonly #places = new Set<{ close(): void }>();

  private constructor(options: ParticipantOptions) {
    this.#options = options;
    this.#transport = new NodeTransport(options);
    const { clock, random, conference, key, who } = options;
    const { signalling } = this.#transport;
    const transport: SessionTransport = {
      signalling,
      openSignalling: (user: ChannelUser) => this.#transport.openSignalling(user),
      openPlace: (place: Place, user: ChannelUser) => {
        const channel = this.#transport.openPlace(place, user);
        this.#places.add(channel);
        return channel;
      },
    };
    this.session = new MeetingSession({ clock, random, transport, conference, key, who });
  }

  /** Joins; throws a FailureError that says why it could not. */
  static async join(options: ParticipantOptions): Promise<Participant> {
    const participant = new Participant(options);
    participant.session.start();
    await participant.#untilSession('in');
    return participant;
  }

  get commands(): MeetingCommands {
    return this.session.view.commands;
  }
  get snapshot(): MeetingSnapshot {
    return this.session.view.snapshot();
  }
  /** Resolves when the meeting looks like that; `what` is told when it never does. */
  until(what: string, looks: (snapshot: MeetingSnapshot) => boolean): Promise<void> {
    return this.#until(what, this.session.view, () => looks(this.snapshot));
  }
  /** Resolves when the session has ended by itself. */
  async ended(): Promise<string> {
    await this.#until('the session ends', this.session, () => this.session.snapshot().stage === 'over');
    return this.session.snapshot().end ?? '';
  }
  /** Breaks the connection of the conferencing data off, as a network does; the session comes back by itself. */
  breakOff(): void {
    for (const channel of this.#places) channel.close();
    this.#places.clear();
  }
  async leave(): Promise<void> {
    await this.session.leave();
  }

  /** Fetches a stored file by its hash from the place of this participant. */
  async fetch(hash: string): Promise<{ readonly status: number; readonly body: Buffer }> {
    const { place } = this.session;
    const connection = place && (await this.#transport.connect(place));
    if (place === undefined || connection === undefined)
      throw new FailureError(failure('SLP-WEB-0131', hash));
    const stream = new ConnectionStream(connection);
    const path = `/content/${this.snapshot.contentToken}/${hash}`;
    return new Promise((resolve, reject) => {
      const asked = request({ path, headers: { Host: place.host }, createConnection: () => stream });
      asked.on('error', (cause) => reject(new FailureError(failure('SLP-WEB-0131', hash, cause))));
      asked.on('response', (response) => {
        const body: Buffer[] = [];
        response.on('data', (chunk: Buffer) => body.push(chunk));
        response.on('end', () => {
          stream.destroy();
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(body) });
        });
      });
      asked.end();
    });
  }

  async #untilSession(stage: 'in'): Promise<void> {
    const stood = () => {
      const { stage: now, end } = this.session.snapshot();
      if (now === 'over') throw new FailureError(failure('SLP-WEB-0130', end));
      return now === stage;
    };
    await this.#until('the meeting lets one in', this.session, stood);
  }
  #until(
    what: string,
    source: { subscribe: (listener: () => void) => () => void },
    holds: () => boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (problem?: unknown) => {
        unsubscribe();
        cancel();
        if (problem === undefined) resolve();
        else reject(problem);
      };
      const look = () => {
        try {
          if (holds()) settle();
        } catch (problem) {
          settle(problem);
        }
      };
      const unsubscribe = source.subscribe(look);
      const cancel = this.#options.clock.after(DEADLINE_MS, () =>
        settle(new FailureError(failure('SLP-WEB-0132', what))),
      );
      look();
    });
  }
}

/** Bytes in memory as something to upload. */
export function sourceOf(bytes: Uint8Array): UploadSource {
  return {
    length: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}
