import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES } from './bench-folder.ts';
import { processorSeconds } from './processor-time.ts';
import { TurnFlow } from './turn-flow.ts';

/** One round of load, asked of the load process. */
export interface TurnRound {
  /** The relay's address. */
  readonly server: string;
  /** Root of the process tree whose processor time counts. */
  readonly pid: number;
  /** `echo`: clients and a peer outside; `switched`: pairs of clients, relayed address to relayed address. */
  readonly kind: 'echo' | 'switched';
  readonly flows: number;
  readonly payloadBytes: number;
  readonly warmMs: number;
  readonly ms: number;
  /** Datagrams that each flow keeps under way; ignored when there is a rate. */
  readonly underWay: number;
  /** Datagrams a second that the clients send, all together. */
  readonly rate?: number;
}

export interface TurnFigures {
  /** Datagrams that the relay has relayed: received by the peer, and received by clients. */
  readonly relayed: number;
  readonly sent: number;
  /** Datagrams that clients sent and of which nothing came back. */
  readonly lost: number;
  readonly seconds: number;
  /** Of the relay. */
  readonly processorSeconds: number;
  /** Of the load itself. */
  readonly loadProcessorSeconds: number;
}

const AT_ONCE = 20;
const QUIET_MS = 300;
let users = 0;

process.on('disconnect', () => process.exit());
process.on('message', (round: TurnRound) => {
  play(round).then(
    (figures) => process.send?.({ figures }),
    (problem: unknown) => process.send?.({ problem: String(problem) }),
  );
});
process.send?.({ ready: true });

async function play(round: TurnRound): Promise<TurnFigures> {
  const echo = await EchoPeer.open();
  const flows: TurnFlow[] = [];
  try {
    while (flows.length < round.flows) {
      const some = Math.min(AT_ONCE, round.flows - flows.length);
      const opened = Array.from({ length: some }, () => TurnFlow.open(round.server, users++));
      flows.push(...(await Promise.all(opened)));
    }
    await bindChannels(flows, round, echo);
    for (const flow of flows) flow.run();
    const load = new Load(flows, round);
    await delay(round.warmMs);
    const figures = await measure(flows, echo, load, round);
    load.stop();
    await delay(QUIET_MS);
    return figures;
  } finally {
    for (let at = 0; at < flows.length; at += AT_ONCE) {
      await Promise.all(flows.slice(at, at + AT_ONCE).map((flow) => flow.close()));
    }
    echo.close();
  }
}

async function bindChannels(flows: readonly TurnFlow[], round: TurnRound, echo: EchoPeer): Promise<void> {
  for (const [index, flow] of flows.entries()) {
    // Each flow's data go to its neighbour, and the neighbour's come back.
    const peer = round.kind === 'echo' ? echo.place : flows[index ^ 1]?.relayed;
    if (peer === undefined) throw new Error('switched flows come in pairs');
    await flow.channel(peer, round.payloadBytes);
  }
}

async function measure(
  flows: readonly TurnFlow[],
  echo: EchoPeer,
  load: Load,
  round: TurnRound,
): Promise<TurnFigures> {
  const received = () => flows.reduce((sum, flow) => sum + flow.received, 0);
  const before = { received: received(), echoed: echo.echoed, sent: load.sent, own: process.cpuUsage() };
  const processorBefore = processorSeconds(round.pid);
  const begun = performance.now();
  await delay(round.ms);
  const seconds = (performance.now() - begun) / 1000;
  const used = processorSeconds(round.pid) - processorBefore;
  const own = process.cpuUsage(before.own);
  const came = received() - before.received;
  return {
    relayed: came + echo.echoed - before.echoed,
    sent: load.sent - before.sent,
    lost: load.sent - before.sent - came,
    seconds,
    processorSeconds: used,
    loadProcessorSeconds: (own.user + own.system) / 1e6,
  };
}

/** Sends, at a rate or as fast as the relay goes. */
class Load {
  sent = 0;
  readonly #flows: readonly TurnFlow[];
  readonly #timer: NodeJS.Timeout;

  constructor(flows: readonly TurnFlow[], round: TurnRound) {
    this.#flows = flows;
    if (round.rate === undefined) {
      this.#timer = this.#saturate(round.underWay);
    } else {
      this.#timer = this.#pace(round.rate);
    }
  }
  stop(): void {
    clearInterval(this.#timer);
    for (const flow of this.#flows) flow.onReceived = () => {};
  }

  #send(flow: TurnFlow | undefined): void {
    this.sent += 1;
    flow?.send();
  }

  #pace(rate: number): NodeJS.Timeout {
    const begun = performance.now();
    const flows = this.#flows;
    return setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * rate;
      while (this.sent < due) this.#send(flows[this.sent % flows.length]);
    }, 1);
  }

  #saturate(underWay: number): NodeJS.Timeout {
    const seen = new Map<TurnFlow, number>();
    for (const flow of this.#flows) {
      flow.onReceived = () => this.#send(flow);
      for (let count = 0; count < underWay; count++) this.#send(flow);
    }
    // A flow whose datagrams were all lost would stand still for ever.
    return setInterval(() => {
      for (const flow of this.#flows) {
        if (seen.get(flow) === flow.received) this.#send(flow);
        seen.set(flow, flow.received);
      }
    }, QUIET_MS);
  }
}

/** Sends back whatever arrives. */
class EchoPeer {
  echoed = 0;
  readonly place: { readonly address: string; readonly port: number };
  readonly #socket: Socket;

  static async open(): Promise<EchoPeer> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: 4 << 20,
      // dgram's own answers even a literal one turn later.
      lookup: (host, _options, done) => done(null, host, 4),
    });
    // With a lookup that answers at once, it may be bound before `bind` returns.
    const bound = once(socket, 'listening');
    socket.bind(0, ADDRESSES.mediaPeer);
    await bound;
    return new EchoPeer(socket);
  }
  private constructor(socket: Socket) {
    this.#socket = socket;
    this.place = socket.address();
    socket.on('error', () => {});
    socket.on('message', (bytes, { address, port }) => {
      this.echoed += 1;
      socket.send(bytes, port, address);
    });
  }
  close(): void {
    this.#socket.close();
  }
}
