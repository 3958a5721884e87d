import type { UnboundHandle } from '../runtime-handle.ts';

/*
 * A socket's descriptor goes to another thread as it goes to another process: by a Unix socket, so that each side has
 * a descriptor of its own and closes what it has. The runtime has no public way for threads.
 */

interface PipeHandle {
  readonly fd: number;
  bind(path: string): number;
  listen(backlog: number): number;
  open(fd: number): number;
  connect(request: object, path: string): number;
  readStart(): number;
  unref(): void;
  close(done?: () => void): void;
  writeUtf8String(request: object, text: string, passed: UnboundHandle): number;
  onconnection?: (status: number, connection: PipeHandle) => void;
  onread?: (bytes: ArrayBuffer | undefined) => void;
  pendingHandle?: UnboundHandle | null;
}
interface CompletedRequest {
  oncomplete?: (status: number) => void;
}
interface Bindings {
  binding(name: 'pipe_wrap'): {
    readonly Pipe: new (kind: number) => PipeHandle;
    readonly PipeConnectWrap: new () => CompletedRequest;
    readonly constants: { readonly SERVER: number; readonly IPC: number };
  };
  binding(name: 'stream_wrap'): { readonly WriteWrap: new () => CompletedRequest };
}

/** Undefined where this runtime does not let anybody have them. */
const parts = (() => {
  try {
    const bindings = process as unknown as Bindings;
    const { Pipe, PipeConnectWrap, constants } = bindings.binding('pipe_wrap');
    const { WriteWrap } = bindings.binding('stream_wrap');
    const isWhole = [Pipe, PipeConnectWrap, WriteWrap].every((one) => typeof one === 'function');
    return isWhole ? { Pipe, PipeConnectWrap, WriteWrap, constants } : undefined;
  } catch {
    return undefined;
  }
})();

export const canPassDescriptors = parts !== undefined;

/** The end that gives descriptors away. */
export class DescriptorSender {
  readonly #pipe: PipeHandle;

  private constructor(pipe: PipeHandle) {
    this.#pipe = pipe;
  }

  /**
   * Waits on a path for the one thread that was told of it.
   * @returns how to stop waiting; undefined when the path cannot be had
   */
  static await(path: string, connected: (sender: DescriptorSender) => void): (() => void) | undefined {
    if (parts === undefined) return undefined;
    const { Pipe, constants } = parts;
    const server = new Pipe(constants.SERVER);
    let isOver = false;
    const end = () => {
      if (!isOver) server.close();
      isOver = true;
    };
    if (server.bind(path) < 0 || server.listen(1) < 0) {
      end();
      return undefined;
    }
    server.unref();
    server.onconnection = (status, connection) => {
      if (status < 0 || isOver) return;
      end();
      // What listens makes no ends that pass descriptors. Both stand on one descriptor: this one closes it, and what
      // was accepted is never touched again.
      connection.unref();
      const pipe = new Pipe(constants.IPC);
      pipe.open(connection.fd);
      pipe.unref();
      connected(new DescriptorSender(pipe));
    };
    return end;
  }

  /**
   * Gives a copy of the handle's descriptor away, with a word about it. The handle has to stay open until `done`.
   * @returns whether it is under way; if not, `done` is not called
   */
  pass(word: string, handle: UnboundHandle, done: (passed: boolean) => void): boolean {
    if (parts === undefined) return false;
    const request = new parts.WriteWrap();
    request.oncomplete = (status) => done(status >= 0);
    return this.#pipe.writeUtf8String(request, word, handle) >= 0;
  }
  close(): void {
    this.#pipe.close();
  }
}

/**
 * The end that receives them, in the other thread. Linux gives the descriptors and words of two messages never in one
 * reading (unix(7), SCM_RIGHTS), and no word is longer than one.
 * @param over called when there is no connection, or no more
 */
export function receiveDescriptors(
  path: string,
  received: (word: string, handle: UnboundHandle) => void,
  over: () => void,
): void {
  if (parts === undefined) {
    over();
    return;
  }
  const pipe = new parts.Pipe(parts.constants.IPC);
  const request = new parts.PipeConnectWrap();
  request.oncomplete = (status) => {
    if (status < 0) over();
    else pipe.readStart();
  };
  pipe.pendingHandle = null;
  pipe.onread = (bytes) => {
    const handle = pipe.pendingHandle ?? undefined;
    pipe.pendingHandle = null;
    if (bytes === undefined) over();
    else if (handle !== undefined) received(Buffer.from(bytes).toString('latin1'), handle);
  };
  if (pipe.connect(request, path) < 0) over();
}
