import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ListenerPlan } from '#platform/topology';
import { AdministrationClient } from '../administration-client.ts';
import { type RunningProgram, runProgram } from '../run-program.ts';
import type { Timing } from '../supervisor-options.ts';
import { type TestDocument, testProgram } from './document.ts';

export const ADDRESS = '127.0.9.60';
const DEADLINE_MS = 60_000;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, ADDRESS);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function listener(
  service: ListenerPlan['service'],
  transport: 'tcp' | 'udp',
  port: number,
): ListenerPlan {
  const id = `${transport}:${ADDRESS}:${port}`;
  return { id, rows: ['ext-05'], service, transport, address: ADDRESS, port, interface: 'loopback' };
}

/** A document in a folder of its own, with a running program on it where the test wants one. */
export class Bench implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-service-'));
  readonly file = join(this.folder, 'edge.json');
  readonly socket = join(this.folder, 'state', 'admin.sock');
  readonly administration = new AdministrationClient(this.socket);
  readonly lines: Record<string, unknown>[] = [];
  readonly tcp: number;
  readonly udp: number;
  readonly metrics: number;
  document: TestDocument;
  #running: RunningProgram | undefined;

  private constructor(ports: { tcp: number; udp: number; metrics: number }) {
    this.tcp = ports.tcp;
    this.udp = ports.udp;
    this.metrics = ports.metrics;
    this.document = {
      host: { stateDirectory: join(this.folder, 'state'), administration: { socket: this.socket } },
      plan: [
        listener('access', 'tcp', this.tcp),
        listener('av', 'udp', this.udp),
        listener('supervisor', 'tcp', this.metrics),
      ],
      greeting: 'one',
    };
    this.write({});
  }
  static async create(): Promise<Bench> {
    return new Bench({ tcp: await freePort(), udp: await freePort(), metrics: await freePort() });
  }

  write(changes: Partial<TestDocument>): void {
    this.document = { ...this.document, ...changes };
    writeFileSync(this.file, JSON.stringify(this.document));
  }
  async run(singleProcess: boolean, timing: Partial<Timing> = {}, program = testProgram) {
    const started = await runProgram({
      program,
      file: this.file,
      singleProcess,
      write: (line) => this.lines.push(JSON.parse(line) as Record<string, unknown>),
      timing: { pollMs: 20, filesMs: 3_600_000, ...timing },
    });
    if (started.ok) this.#running = started.value;
    return started;
  }
  async start(
    singleProcess: boolean,
    timing: Partial<Timing> = {},
    program = testProgram,
  ): Promise<RunningProgram> {
    const started = await this.run(singleProcess, timing, program);
    if (!started.ok) throw new Error(JSON.stringify(started.error));
    return started.value;
  }
  async verb(service: string, name: string, args: unknown = {}): Promise<unknown> {
    const outcome = await this.administration.call('call', { service, verb: name, arguments: args });
    if (!outcome.ok) throw new Error(outcome.error.message);
    return outcome.value;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop(3000, false);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `read` gives something; the test's deadline is generous. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class TcpClient {
  readonly socket: Socket;
  constructor(port: number) {
    this.socket = connect(port, ADDRESS);
    this.socket.on('error', () => {});
  }
  async ask(text: string): Promise<string> {
    this.socket.write(text);
    const [chunk] = (await once(this.socket, 'data')) as [Buffer];
    return chunk.toString();
  }
  close(): void {
    this.socket.destroy();
  }
}

export async function askTcp(port: number, text: string): Promise<string> {
  const client = new TcpClient(port);
  const answer = await client.ask(text);
  client.close();
  return answer;
}

/** Whether anybody listens there. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, ADDRESS, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** One datagram there and one back; the same datagram is not sent twice. */
export async function askUdp(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  socket.send(text, port, ADDRESS);
  const [datagram] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return datagram.toString();
}

/** A supervisor in a process of its own. */
export class Outside {
  readonly process: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];

  constructor(file: string, ...more: string[]) {
    const script = fileURLToPath(new URL('./run.ts', import.meta.url));
    this.process = spawn(process.execPath, [script, file, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.process.stdout === null) throw new Error('no output');
    createInterface(this.process.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
  }
  said(event: string): Promise<Record<string, unknown>> {
    return eventually(`log line: ${event}`, () => this.lines.find((line) => line.event === event));
  }
  async ended(): Promise<unknown> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const [code] = await once(this.process, 'exit');
    return code;
  }
}
