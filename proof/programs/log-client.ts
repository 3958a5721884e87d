import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Host } from '../network/host.ts';

/** Whom it shows, whom it trusts, whom it dials. */
export interface LogIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const PATIENCE_MS = 20_000;

/**
 * The client of another hand on the logging ports: openssl for TCP and TLS, and here, apart from the product, the framing
 * as docs/protocols/logging.md has it.
 */
export class LogClient {
  readonly #child: ChildProcess;
  #received: Buffer = Buffer.alloc(0);
  #errors = '';
  #id = 0;

  constructor(host: Host, at: string, name: string, { authority, certificate, key }: LogIdentity) {
    const [program = '', ...words] = host.launcher;
    const tls = ['-CAfile', authority, '-cert', certificate, '-key', key, '-verify_return_error'];
    const parameters = ['s_client', '-quiet', '-connect', at, '-servername', name, '-verify_hostname', name];
    this.#child = spawn(program, [...words, 'openssl', ...parameters, ...tls], { stdio: 'pipe' });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#errors = `${this.#errors}${bytes.toString()}`.slice(-4000);
    });
    this.#child.stdin?.on('error', () => {});
  }

  /** Greets; the name that the edge gives itself. */
  async greet(): Promise<string> {
    this.#send({ type: 'hello', versions: [1], product: 'proof' });
    return String((await this.#next()).node);
  }
  /** Everything that comes for a request, its last message last. */
  async ask(request: object): Promise<Record<string, unknown>[]> {
    this.#id += 1;
    this.#send({ id: this.#id, ...request });
    const messages: Record<string, unknown>[] = [];
    for (;;) {
      const message = await this.#next();
      messages.push(message);
      if (message.type !== 'events') return messages;
    }
  }
  /** The next messages of a request that has no end. */
  async follow(request: object, until: (events: readonly { text: string }[]) => boolean): Promise<void> {
    this.#send({ id: 1, ...request });
    for (;;) {
      const { events } = await this.#next();
      if (until((events ?? []) as { text: string }[])) return;
    }
  }
  async close(): Promise<void> {
    this.#child.kill();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  #send(message: object): void {
    const body = Buffer.from(JSON.stringify(message));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    this.#child.stdin?.write(Buffer.concat([length, body]));
  }
  async #next(): Promise<Record<string, unknown>> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const length = this.#received.length < 4 ? undefined : this.#received.readUInt32BE();
      if (length !== undefined && this.#received.length >= 4 + length) {
        const body = this.#received.toString('utf8', 4, 4 + length);
        this.#received = this.#received.subarray(4 + length);
        return JSON.parse(body) as Record<string, unknown>;
      }
      if (this.#child.exitCode !== null || performance.now() > deadline)
        throw new Error(`no answer; openssl said ${this.#errors}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
