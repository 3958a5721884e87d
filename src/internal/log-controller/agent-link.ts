import { type Cancel, type Clock, err, type Failure, failure, ok, type Result } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import { type Metrics, PRODUCT_VERSION } from '#platform/telemetry';
import {
  type AgentMessage,
  encodeMessage,
  FRAME_BYTES,
  LOG_VERSIONS,
  type LogEvent,
  LogFrameReader,
  type LogPort,
  readAgentMessage,
} from '#protocols/log-query';
import type { LoggedEdge } from './logged-edge.ts';

export interface LinkOptions {
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** Own addresses; the one of the edge's family is dialled from. */
  readonly addresses: readonly string[];
  /** After so many milliseconds of silence an agent is given up. */
  readonly answerMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** What an agent says to one request. */
export interface Heard {
  message(message: AgentMessage, events: readonly LogEvent[]): void;
  /** Octets of a segment. */
  octets?(octets: Uint8Array): void;
  /** Nothing more will come, and why; called once. */
  failed(problem: Failure): void;
}

const OUTBOUND_BYTES = 1 << 20;
const FRAME_MS = 30_000;
/** Further apart than this, two clocks make a list of events that cannot be trusted. Milliseconds. */
const SKEW_MS = 2000;
const ROWS: Readonly<Record<LogPort, string>> = { control: 'int-09', search: 'int-10', collection: 'int-11' };

/** One connection to one port of a logging agent, dialled from inside (port rows int-09 to int-11). */
export class AgentLink {
  readonly edge: LoggedEdge;
  readonly #port: LogPort;
  readonly #connection: Connection;
  readonly #options: LinkOptions;
  readonly #reader = new LogFrameReader({ frameBytes: FRAME_BYTES.fromAgent, frameMs: FRAME_MS });
  #heard: Heard | undefined;
  #silence: Cancel = () => {};
  #lastId = 0;
  /** Of the request that is under way. */
  #current = 0;
  /** Silence is no fault, as long as the agent still answers when it is asked. */
  #patient = false;
  #over = false;
  /** By how much the agent's clock is ahead, when that is worth a word. Milliseconds. */
  skewMs: number | undefined;

  private constructor(edge: LoggedEdge, port: LogPort, connection: Connection, options: LinkOptions) {
    this.edge = edge;
    this.#port = port;
    this.#connection = connection;
    this.#options = options;
  }

  /** A connection on which the agent has said welcome. */
  static async open(edge: LoggedEdge, port: LogPort, options: LinkOptions): Promise<Result<AgentLink>> {
    const dialled = await dial(edge, port, options);
    if (!dialled.ok) return dialled;
    const link = new AgentLink(edge, port, dialled.value, options);
    const welcomed = await link.#greet();
    return welcomed.ok ? ok(link) : welcomed;
  }

  /** One request at a time; what comes goes to `heard` until `done` is called or it fails. */
  request(request: object, heard: Heard): void {
    this.#lastId += 1;
    this.#current = this.#lastId;
    this.#heard = heard;
    this.#connection.write(encodeMessage({ ...request, id: this.#current }));
    this.#expect();
  }
  /** A request that may have nothing to say for hours: from time to time the agent is asked something else. */
  follow(request: object, heard: Heard): void {
    this.#patient = true;
    this.request(request, heard);
  }
  /** The answer was complete. */
  done(): void {
    this.#heard = undefined;
    this.#silence();
  }
  /** The one message that answers a request, whatever it is. */
  ask(request: object): Promise<Result<AgentMessage>> {
    return new Promise((resolve) => {
      this.request(request, {
        message: (message) => {
          this.done();
          resolve(message.type === 'refused' ? err(this.#refusal(message)) : ok(message));
        },
        failed: (problem) => resolve(err(problem)),
      });
    });
  }
  /** Reads no more until `resume`; an agent that is not read from is not silent. */
  pause(): void {
    this.#silence();
    this.#connection.pause();
  }
  resume(): void {
    this.#connection.resume();
    this.#expect();
  }
  close(): void {
    this.#over = true;
    this.#silence();
    this.#connection.destroy('local');
  }

  #greet(): Promise<Result<void>> {
    return new Promise((resolve) => {
      this.#connection.onData = (chunk) => this.#receive(chunk);
      this.#connection.onClose = () => this.#fail(this.#closed());
      this.#heard = {
        message: (message) => {
          this.done();
          if (message.type === 'welcome') resolve(this.#welcome(message));
          else
            resolve(
              err(message.type === 'refused' ? this.#refusal(message) : this.#unreadable(message.type)),
            );
        },
        failed: (problem) => resolve(err(problem)),
      };
      const hello = { type: 'hello', versions: [...LOG_VERSIONS], product: PRODUCT_VERSION };
      this.#connection.write(encodeMessage(hello));
      this.#expect();
    });
  }
  #welcome({ node, now }: AgentMessage & { type: 'welcome' }): Result<void> {
    if (node !== this.edge.name) {
      this.close();
      return err(failure('SLP-LOG-0105', `${this.#place()} says that it is ${node.slice(0, 100)}`));
    }
    const skew = now - this.#options.clock.wall();
    if (Math.abs(skew) > SKEW_MS) this.skewMs = Math.round(skew);
    return ok(undefined);
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#reader.push(chunk, this.#options.clock.now())) {
      if (this.#over) return;
      if (frame.kind === 'octets') this.#heard?.octets?.(frame.octets);
      else {
        const read = readAgentMessage(frame.text);
        if (!read.ok) return this.#fail(this.#unreadable(read.error.message));
        this.#hear(read.value.message, read.value.events);
      }
      if (this.#heard !== undefined) this.#expect();
    }
    if (this.#reader.fault !== undefined) this.#fail(this.#unreadable(this.#reader.fault));
  }
  /** What answers a request that was given up is nobody's any more. */
  #hear(message: AgentMessage, events: readonly LogEvent[]): void {
    const ours = message.type === 'welcome' || message.id === null || message.id === this.#current;
    if (ours) this.#heard?.message(message, events);
  }

  #expect(): void {
    this.#silence();
    const { clock, answerMs } = this.#options;
    const silent = () =>
      this.#fail(failure('SLP-LOG-0102', `${this.#place()} has said nothing for ${answerMs / 1000} s`));
    const probe = () => {
      this.#lastId += 1;
      this.#connection.write(encodeMessage({ type: 'list', id: this.#lastId }));
      this.#silence = clock.after(answerMs, silent);
    };
    this.#silence = clock.after(answerMs, this.#patient ? probe : silent);
  }
  #fail(problem: Failure): void {
    if (this.#over) return;
    this.close();
    const heard = this.#heard;
    this.#heard = undefined;
    heard?.failed(problem);
  }
  #closed(): Failure {
    // Before it said welcome, an agent closes for one reason only.
    if (this.#lastId === 0) return failure('SLP-LOG-0104', this.#place());
    return failure('SLP-LOG-0103', `${this.#place()} closed the connection`);
  }
  #unreadable(what: string): Failure {
    return failure('SLP-LOG-0002', `${this.#place()}: ${what}`);
  }
  /** The agent's own words. */
  #refusal({ code, message }: AgentMessage & { type: 'refused' }): Failure {
    return failure('SLP-LOG-0106', `${this.edge.name}: ${code} ${message}`);
  }
  #place(): string {
    return placeOf(this.edge, this.#port);
  }
}

async function dial(edge: LoggedEdge, port: LogPort, options: LinkOptions): Promise<Result<Connection>> {
  const family = edge.address.includes(':');
  const localAddress = options.addresses.find((address) => address.includes(':') === family);
  if (localAddress === undefined) {
    return err(failure('SLP-LOG-0107', `${edge.name} at ${edge.address}: this host has none of that family`));
  }
  const dialled = await dialTls({
    remote: { address: edge.address, port: portOf(edge, port) },
    localAddress,
    servername: edge.name,
    expectNames: [edge.name],
    credentials: options.credentials,
    trust: options.trust,
    handshakeMs: options.answerMs,
    outboundBytes: OUTBOUND_BYTES,
    clock: options.clock,
    metrics: options.metrics,
  });
  return dialled.ok ? dialled : err(dialProblem(edge, port, dialled.error));
}

function portOf(edge: LoggedEdge, port: LogPort): number {
  if (port === 'control') return edge.controlPort;
  return port === 'search' ? edge.searchPort : edge.collectionPort;
}
function placeOf(edge: LoggedEdge, port: LogPort): string {
  return `${edge.name} at ${edge.address} port ${portOf(edge, port)} (port row ${ROWS[port]})`;
}

/** A failure of the dial in the words of this link: the usual causes are the port, the route and the names. */
function dialProblem(edge: LoggedEdge, port: LogPort, problem: Failure): Failure {
  const at = placeOf(edge, port);
  if (/ECONNREFUSED/.test(problem.message)) return failure('SLP-LOG-0101', at);
  if (problem.code === 'SLP-NET-0010') return failure('SLP-LOG-0103', `${at}: ${problem.message}`);
  if (problem.code === 'SLP-NET-0011') return failure('SLP-LOG-0102', `${at}: ${problem.message}`);
  if (problem.code === 'SLP-NET-0013' || problem.code === 'SLP-NET-0014') {
    return failure('SLP-LOG-0108', `${at}: ${problem.message}`);
  }
  return failure('SLP-LOG-0104', `${at}: ${problem.message}`);
}
