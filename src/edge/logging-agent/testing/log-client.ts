import type { Connection } from '#platform/net';
import {
  type AgentMessage,
  encodeMessage,
  FRAME_BYTES,
  type LogEvent,
  LogFrameReader,
  readAgentMessage,
} from '#protocols/log-query';

/** What came for one request. */
export interface Answered {
  readonly messages: AgentMessage[];
  readonly events: LogEvent[];
  readonly octets: Buffer;
  /** The last message. */
  readonly last: AgentMessage;
}

const LAST = new Set(['done', 'refused', 'scenarios', 'status', 'segments', 'found', 'copied']);

/** A log controller's end of one connection. */
export class LogClient {
  readonly connection: Connection;
  readonly closed: Promise<string>;
  /** Everything that came and nobody has taken. */
  readonly received: { message: AgentMessage; events: readonly LogEvent[] }[] = [];
  octets: Buffer = Buffer.alloc(0);
  #told = Promise.withResolvers<void>();
  #over = false;
  #id = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    const reader = new LogFrameReader({ frameBytes: FRAME_BYTES.fromAgent, frameMs: 60_000 });
    this.closed = new Promise((resolve) => {
      connection.onClose = (reason) => {
        this.#over = true;
        this.#told.resolve();
        resolve(reason);
      };
    });
    connection.onData = (bytes) => {
      for (const frame of reader.push(bytes, 0)) {
        if (frame.kind === 'octets') this.octets = Buffer.concat([this.octets, frame.octets]);
        else {
          const read = readAgentMessage(frame.text);
          if (!read.ok) throw new Error(`${read.error.message}: ${frame.text}`);
          this.received.push(read.value);
        }
      }
      this.#told.resolve();
    };
  }

  send(message: object): void {
    this.connection.write(encodeMessage(message));
  }
  /** The next message that is wanted; those before it are dropped. */
  async next(wanted: (message: AgentMessage) => boolean): Promise<{
    readonly message: AgentMessage;
    readonly events: readonly LogEvent[];
  }> {
    for (;;) {
      const one = this.received.shift();
      if (one !== undefined && wanted(one.message)) return one;
      if (one !== undefined) continue;
      if (this.#over) throw new Error('the connection is closed');
      this.#told = Promise.withResolvers();
      await this.#told.promise;
    }
  }
  async hello(): Promise<AgentMessage> {
    this.send({ type: 'hello', versions: [1], product: 'test' });
    return (await this.next((message) => message.type === 'welcome')).message;
  }
  /** The number of a request that was sent. */
  begin(request: object): number {
    this.#id += 1;
    this.send({ id: this.#id, ...request });
    return this.#id;
  }
  async ask(request: object): Promise<Answered> {
    this.octets = Buffer.alloc(0);
    return this.answerTo(this.begin(request));
  }
  async answerTo(id: number): Promise<Answered> {
    const messages: AgentMessage[] = [];
    const events: LogEvent[] = [];
    for (;;) {
      const one = await this.next((message) => 'id' in message && message.id === id);
      messages.push(one.message);
      events.push(...one.events);
      if (LAST.has(one.message.type)) return { messages, events, octets: this.octets, last: one.message };
    }
  }
}
