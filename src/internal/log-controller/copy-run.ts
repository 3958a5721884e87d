import { createHash } from 'node:crypto';
import { err, failure, ok, type Result } from '#kernel';
import type { SegmentEntry } from '#protocols/log-query';
import { AgentLink, type LinkOptions } from './agent-link.ts';
import type { LoggedEdge } from './logged-edge.ts';

/** Octets that wait for whoever reads the copy. */
const HIGH_WATER = 4 << 20;

/** The segments of an edge. */
export async function listSegments(
  edge: LoggedEdge,
  options: LinkOptions,
): Promise<Result<readonly SegmentEntry[]>> {
  const opened = await AgentLink.open(edge, 'collection', options);
  if (!opened.ok) return opened;
  const answered = await opened.value.ask({ type: 'list' });
  opened.value.close();
  if (!answered.ok) return answered;
  if (answered.value.type === 'segments') return ok(answered.value.segments);
  return err(failure('SLP-LOG-0002', `${edge.name}: ${answered.value.type} in place of segments`));
}

/** One segment on its way; its hash is compared with the agent's at the end. */
export class CopyRun {
  readonly #link: AgentLink;
  readonly #edge: LoggedEdge;
  readonly #hash = createHash('sha256');
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #result: Result<{ readonly bytes: number; readonly sha256: string }> | undefined;
  #wake: () => void = () => {};

  private constructor(link: AgentLink, edge: LoggedEdge) {
    this.#link = link;
    this.#edge = edge;
  }
  static async open(edge: LoggedEdge, segment: number, options: LinkOptions): Promise<Result<CopyRun>> {
    const opened = await AgentLink.open(edge, 'collection', options);
    if (!opened.ok) return opened;
    const run = new CopyRun(opened.value, edge);
    run.#begin(segment);
    return ok(run);
  }

  /** Octets and, behind the last of them, how it ended; waits until there is something. */
  async read(): Promise<{ readonly octets: Buffer; readonly result: CopyRun['outcome'] }> {
    if (this.#waitingBytes === 0 && this.#result === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const octets = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (this.#waitingBytes >= HIGH_WATER) this.#link.resume();
    this.#waitingBytes = 0;
    return { octets, result: this.#result };
  }
  get outcome() {
    return this.#result;
  }
  close(): void {
    this.#link.close();
  }

  #begin(segment: number): void {
    this.#link.request(
      { type: 'copy', segment },
      {
        octets: (octets) => this.#take(octets),
        message: (message) => {
          if (message.type === 'copied') this.#check(message);
          else {
            const said = message.type === 'refused' ? `${message.code} ${message.message}` : message.type;
            this.#finish(err(failure('SLP-LOG-0106', `${this.#edge.name}: ${said}`)));
          }
        },
        failed: (problem) => this.#finish(err(problem)),
      },
    );
  }
  #take(octets: Uint8Array): void {
    this.#hash.update(octets);
    this.#bytes += octets.length;
    this.#waiting.push(octets);
    this.#waitingBytes += octets.length;
    if (this.#waitingBytes >= HIGH_WATER) this.#link.pause();
    this.#wake();
  }
  #check({ bytes, sha256 }: { readonly bytes: number; readonly sha256: string }): void {
    const own = this.#hash.digest('hex');
    const same = own === sha256 && bytes === this.#bytes;
    if (same) this.#finish(ok({ bytes, sha256 }));
    else this.#finish(err(failure('SLP-LOG-0110', `${this.#edge.name}: ${this.#bytes} of ${bytes} octets`)));
  }
  #finish(result: NonNullable<CopyRun['outcome']>): void {
    this.#result ??= result;
    this.#link.close();
    this.#wake();
  }
}
