import type { uploadManager, uploadStream } from '../meeting/upload.ts';
import type { Handlers, Stub } from '../objects/interface.ts';
import type { UploadFailure, UploadView } from './snapshot.ts';

/** Where the bytes of an upload come from: a file of a browser or of a disk. */
export interface UploadSource {
  /** Bytes. */
  readonly length: number;
  /** `length` bytes from `offset` on, both within the source. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes of one sWrite: well within a frame, so that calls find a way between. */
const CHUNK = 32_768;
/** By number, as UploadManager counts them; 0 is done. */
const reasons: readonly (UploadFailure | undefined)[] = [
  undefined,
  ...(['too-large', 'no-space', 'not-allowed', 'wrong-length', 'wrong-content'] as const),
  ...(['cancelled', 'too-many'] as const),
];

type Manager = Stub<(typeof uploadManager)['server']>;
type Stream = Stub<(typeof uploadStream)['server']>;

interface Upload {
  readonly cookie: number;
  readonly title: string;
  readonly source: UploadSource;
  readonly settle: (failure: UploadFailure | undefined) => void;
  stream: Stream | undefined;
  state: UploadView['state'];
  sent: number;
  /** Bytes that may be written now. */
  granted: number;
  reading: boolean;
}

export interface UploadsOptions {
  readonly onChange: () => void;
  /** There are frames to be written though nothing arrived. */
  readonly onOutput: () => void;
  /** The stream that the server connected under this identifier, ready to be called. */
  readonly openStream: (
    proxy: number,
    handlers: Handlers<(typeof uploadStream)['client']>,
  ) => Stream | undefined;
}

/** Files on their way: at most what was granted of each is under way, and each ends by one answer. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #running = new Map<number, Upload>();
  #manager: Manager | undefined;
  #views: readonly UploadView[] | undefined;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }
  get views(): readonly UploadView[] {
    this.#views ??= [...this.#running.values()].map(({ cookie, title, state, sent, source }) => {
      return { cookie, title, state, sent, length: source.length };
    });
    return this.#views;
  }
  /** A connection on which uploads may begin. */
  open(manager: Manager): void {
    this.#manager = manager;
  }
  /** The connection is gone, and what was under way with it. */
  close(): void {
    this.#manager = undefined;
    for (const upload of [...this.#running.values()]) this.#end(upload, 'dropped');
  }

  /** Resolves with undefined when the file is there. `ask` sends the request that the server answers. */
  begin(
    title: string,
    cookie: number,
    source: UploadSource,
    ask: (manager: Manager) => boolean,
  ): Promise<UploadFailure | undefined> {
    const manager = this.#manager;
    if (manager === undefined || !ask(manager)) return Promise.resolve('dropped');
    return new Promise((settle) => {
      this.#running.set(cookie, {
        ...{ cookie, title, source, settle, stream: undefined, state: 'waiting' },
        ...{ sent: 0, granted: 0, reading: false },
      });
      this.#changed();
    });
  }
  cancel(cookie: number): void {
    const upload = this.#running.get(cookie);
    if (upload === undefined) return;
    this.#manager?.sUploadFinished(cookie, true);
    this.#end(upload, 'cancelled');
    this.#options.onOutput();
  }

  readonly handlers: Pick<
    Handlers<(typeof uploadManager)['client']>,
    'cAcceptUpload' | 'cRejectUpload' | 'cUploadFinished'
  > = {
    cAcceptUpload: (cookie, proxy) => {
      const upload = this.#running.get(cookie);
      const stream = this.#options.openStream(proxy, {
        cGrant: (bytes) => {
          if (upload === undefined || bytes <= 0) return;
          upload.granted += bytes;
          this.#pump(upload);
        },
      });
      if (upload === undefined || stream === undefined) return;
      upload.stream = stream;
      upload.state = 'sending';
      this.#changed();
      this.#pump(upload);
    },
    cRejectUpload: (cookie, reason) => this.#answered(cookie, reasons[reason] ?? 'not-allowed'),
    cUploadFinished: (cookie, reason) =>
      this.#answered(cookie, reason === 0 ? undefined : (reasons[reason] ?? 'not-allowed')),
  };

  #answered(cookie: number, failure: UploadFailure | undefined): void {
    const upload = this.#running.get(cookie);
    if (upload !== undefined) this.#end(upload, failure);
  }
  #end(upload: Upload, failure: UploadFailure | undefined): void {
    if (!this.#running.delete(upload.cookie)) return;
    this.#changed();
    upload.settle(failure);
  }
  #changed(): void {
    this.#views = undefined;
    this.#options.onChange();
  }

  /** Writes what was granted; one read at a time, so that chunks stay in order. */
  #pump(upload: Upload): void {
    const { source, stream } = upload;
    if (stream === undefined || upload.reading || upload.state !== 'sending') return;
    if (upload.sent === source.length) {
      upload.state = 'finishing';
      this.#manager?.sUploadFinished(upload.cookie, false);
      this.#changed();
      return;
    }
    const length = Math.min(CHUNK, upload.granted, source.length - upload.sent);
    if (length === 0) return;
    upload.reading = true;
    source.read(upload.sent, length).then(
      (bytes) => this.#write(upload, stream, bytes, length),
      () => this.#fail(upload),
    );
  }
  #write(upload: Upload, stream: Stream, bytes: Uint8Array, wanted: number): void {
    upload.reading = false;
    if (!this.#running.has(upload.cookie)) return;
    if (bytes.length !== wanted) return this.#fail(upload);
    stream.sWrite(bytes);
    upload.sent += wanted;
    upload.granted -= wanted;
    this.#changed();
    this.#pump(upload);
    this.#options.onOutput();
  }
  /** The file changed or went away while it was read. */
  #fail(upload: Upload): void {
    this.#manager?.sUploadFinished(upload.cookie, true);
    this.#end(upload, 'unreadable');
    this.#options.onOutput();
  }
}
