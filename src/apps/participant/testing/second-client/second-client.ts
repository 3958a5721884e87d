import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SignallingServer } from '../../index.ts';

export interface SecondClientSettings {
  readonly link: string;
  readonly name: string;
  readonly signalling: SignallingServer;
  /** File of PEM. */
  readonly authority: string;
  readonly hosts: Readonly<Record<string, string>>;
  readonly local: string;
}

/** One thing that the second client tells. */
export interface SecondClientEvent {
  readonly event: 'joined' | 'call' | 'disconnected' | 'left';
  readonly object?: string;
  readonly method?: string;
  readonly values?: readonly unknown[];
  readonly status?: number;
  readonly participant?: number;
  readonly role?: string;
}

const PATIENCE_MS = 30_000;
const OBJECTS = join(import.meta.dirname, '../../../../../docs/protocols/psom-objects.md');

/** A guest with a client that was written from the documents alone, in another language. */
export class SecondClient {
  readonly #child: ChildProcess;
  readonly #events: SecondClientEvent[] = [];
  #wake: () => void = () => {};
  #problem = '';

  constructor(settings: SecondClientSettings) {
    const words = [join(import.meta.dirname, 'client.py'), JSON.stringify({ ...settings, objects: OBJECTS })];
    const child = spawn('/usr/bin/python3', words, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line) as SecondClientEvent);
      this.#wake();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#problem += chunk.toString();
    });
    child.once('close', () => this.#wake());
  }

  do(command: Readonly<Record<string, unknown>>): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }
  /** The first that is so, of those not taken yet. */
  async hears(is: (event: SecondClientEvent) => boolean): Promise<SecondClientEvent> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const at = this.#events.findIndex(is);
      const [found] = at < 0 ? [] : this.#events.splice(at, 1);
      if (found !== undefined) return found;
      if (late.aborted || this.#child.exitCode !== null)
        throw new Error(`not heard: ${JSON.stringify(this.#events)} ${this.#problem}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  called(method: string, object?: string): Promise<SecondClientEvent> {
    return this.hears((one) => one.method === method && (object === undefined || one.object === object));
  }
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
