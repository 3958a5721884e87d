import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES, clientAddress, PORTS } from './bench-folder.ts';
import { processorSeconds, residentBytes } from './processor-time.ts';
import { TurnFlow } from './turn-flow.ts';

/** Sets up so many clients, keeps them for a moment, and ends them. */
export interface AllocationRound {
  readonly server: string;
  /** Root of the process tree that is looked at. */
  readonly pid: number;
  /** Clients that are there before anything is measured, and those that are measured. */
  readonly held: number;
  readonly clients: number;
  /** How long the server is left alone before its memory is read. */
  readonly restMs: number;
}

export interface AllocationFigures {
  readonly clients: number;
  /** From the first request to the last answer: challenge, allocation, channel with its permission. */
  readonly seconds: number;
  readonly processorSeconds: number;
  /** What of its own core the load used meanwhile, 0 to 1 and a little: near 1 it is what limits the speed. */
  readonly loadShare: number;
  /** What the server's memory grew by, octets. */
  readonly grownBytes: number;
  /** Octets of the answer by octet of the request, by what a stranger asks for. */
  readonly amplification: { readonly allocate: number; readonly binding: number };
}

/** Set-ups under way at once. */
const AT_ONCE = 50;
const DATA_BYTES = 172;
const ANSWER_MS = 2_000;
let numbers = 0;

process.on('disconnect', () => process.exit());
process.on('message', (round: AllocationRound) => {
  play(round).then(
    (figures) => process.send?.({ figures }),
    (problem: unknown) => process.send?.({ problem: String(problem) }),
  );
});
process.send?.({ ready: true });

async function play({ server, pid, held, clients, restMs }: AllocationRound): Promise<AllocationFigures> {
  const amplification = {
    allocate: await amplified(server, 0x0003),
    binding: await amplified(server, 0x0001),
  };
  // Sockets are the load's own work: they are there before the clock runs.
  const [before, flows] = [await connect(server, held), await connect(server, clients)];
  await setUp(before);
  await delay(restMs);
  const memoryBefore = residentBytes(pid);
  const processorBefore = processorSeconds(pid);
  const loadBefore = process.cpuUsage();
  const begun = performance.now();
  await setUp(flows);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(loadBefore);
  const used = processorSeconds(pid) - processorBefore;
  await delay(restMs);
  const grownBytes = residentBytes(pid) - memoryBefore;
  await eachOf([...before, ...flows], (flow) => flow.close());
  const loadShare = (user + system) / 1_000_000 / seconds;
  return { clients, seconds, processorSeconds: used, loadShare, grownBytes, amplification };
}

async function connect(server: string, clients: number): Promise<TurnFlow[]> {
  const flows: TurnFlow[] = [];
  await eachOf(Array.from({ length: clients }), async () => {
    flows.push(await TurnFlow.connect(server, numbers++));
  });
  return flows;
}

/** Challenge, allocation, channel. */
async function setUp(flows: readonly TurnFlow[]): Promise<void> {
  const peer = { address: ADDRESSES.mediaPeer, port: 9_999 };
  await eachOf(flows, async (flow) => {
    await flow.allocate();
    await flow.channel(peer, DATA_BYTES);
  });
}

/** So many at a time, all the time: whoever is done makes room for the next, so that the server never waits for the slowest. */
async function eachOf<Item>(items: readonly Item[], play: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async () => {
    for (const item of waiting) await play(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** What a request without anything in it draws from the server, in octets for each octet of its own. */
async function amplified(server: string, type: number): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, clientAddress(numbers++));
  await once(socket, 'listening');
  const request = Buffer.from([type >> 8, type & 0xff, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...randomBytes(12)]);
  socket.send(request, PORTS.turn, server);
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) })) as [Buffer];
  socket.close();
  return answer.length / request.length;
}
