import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Clock, err, ok } from '#kernel';
import type { ContentAnswer, ContentRequest } from '#platform/psom-link';
import type { Meetings } from './meetings.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import type { FileStore } from './store/file-store.ts';
import type { Tokens } from './tokens.ts';

/** Files on their way at a time: of all, and of one participant. */
const MOST = 500;
const MOST_EACH = 20;

export interface DownloadsOptions {
  readonly clock: Clock;
  readonly meetings: Meetings;
  readonly tokens: Tokens;
  readonly files: FileStore;
  readonly metrics: ServiceMetrics;
}

/** Gives files to those who are in the meeting and may see what the file belongs to. */
export class Downloads {
  readonly #options: DownloadsOptions;
  #underWay = 0;
  readonly #ofParticipant = new Map<string, number>();

  constructor(options: DownloadsOptions) {
    this.#options = options;
  }

  async serve(request: ContentRequest): Promise<ContentAnswer> {
    const answer = await this.#answer(request);
    this.#options.metrics.contents.inc(answer.ok ? 'served' : answer.error);
    return answer;
  }
  async #answer({ token, hash }: ContentRequest): Promise<ContentAnswer> {
    const { clock, meetings, tokens, files } = this.#options;
    const opened = tokens.open('content', token, clock.wall());
    if (!opened.ok) return err('not-allowed');
    const meeting = meetings.inMemory(opened.value.conference);
    const participant = meeting?.roster.find(opened.value.participant);
    if (meeting === undefined || participant === undefined) return err('not-allowed');
    const file = meeting.contents.fileFor(participant, hash);
    const path = file && files.pathOf(file.hash);
    if (file === undefined || path === undefined) return err('not-found');
    const { conference, participant: number } = opened.value;
    const done = this.#begin(`${conference} ${number}`);
    if (done === undefined) return err('busy');
    const size = await stat(path).then(
      (stats) => stats.size,
      () => -1,
    );
    if (size !== file.size) {
      done();
      return err('not-found');
    }
    const body = createReadStream(path);
    body.once('close', done);
    return ok({ type: file.type, bytes: size, name: file.name, body });
  }
  /** Counts one more, until what it gives is called; undefined when there are enough. */
  #begin(whose: string): (() => void) | undefined {
    const own = this.#ofParticipant.get(whose) ?? 0;
    if (this.#underWay >= MOST || own >= MOST_EACH) return undefined;
    this.#underWay++;
    this.#ofParticipant.set(whose, own + 1);
    return () => {
      this.#underWay--;
      const left = (this.#ofParticipant.get(whose) ?? 1) - 1;
      if (left > 0) this.#ofParticipant.set(whose, left);
      else this.#ofParticipant.delete(whose);
    };
  }
}
