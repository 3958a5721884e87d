import { restCredential } from '#protocols/credentials';
import { clientAddress, NAMES, PORTS, RELAY_SECRET } from './bench-folder.ts';
import { LOAD_CORE, PinnedProcess } from './pinned-process.ts';
import { processorSeconds } from './processor-time.ts';

/** Sessions of two clients each, relayed address to relayed address, as coturn's own client plays them. */
export interface Sessions {
  readonly server: string;
  /** Root of the process tree whose processor time counts. */
  readonly pid: number;
  readonly sessions: number;
  readonly seconds: number;
}

export interface SessionFigures {
  readonly sent: number;
  readonly lost: number;
  /** Milliseconds from one client to the other: mean of the processes' means, and the worst datagram of all. */
  readonly delay: { readonly mean: number; readonly most: number };
  readonly jitter: { readonly mean: number; readonly most: number };
  /** Of the relay, from the first client to the end of the last. */
  readonly processorSeconds: number;
}

const INTERVAL_MS = 20;
const PAYLOAD_BYTES = 172;
/** Each process drives so many sessions, from a network of its own: strangers of one are only answered so often. */
export const SESSIONS_EACH = 50;
const CLIENT = 'turnutils_uclient';

/** Plays all sessions at once, to their end. */
export async function playSessions({ server, pid, sessions, seconds }: Sessions): Promise<SessionFigures> {
  const before = processorSeconds(pid);
  const clients = Array.from({ length: sessions / SESSIONS_EACH }, (_, number) =>
    startClient(server, number, Math.round((seconds * 1000) / INTERVAL_MS)),
  );
  const outputs = await Promise.all(clients.map(ended));
  return { ...summary(outputs.map(figuresOf)), processorSeconds: processorSeconds(pid) - before };
}

function startClient(server: string, number: number, messages: number): PinnedProcess {
  const { username, password } = restCredential(RELAY_SECRET, `sessions${number}`, Date.now() + 3_600_000);
  return new PinnedProcess({
    title: CLIENT,
    core: LOAD_CORE,
    command: CLIENT,
    args: [
      ...['-u', username, '-w', password, '-r', NAMES.domain],
      ...['-L', clientAddress(number), '-p', String(PORTS.turn)],
      // Client to client, without the pair for RTCP.
      ...['-y', '-c', '-m', String(2 * SESSIONS_EACH), '-n', String(messages)],
      ...['-z', String(INTERVAL_MS), '-l', String(PAYLOAD_BYTES), server],
    ],
  });
}

async function ended(client: PinnedProcess): Promise<string> {
  await new Promise((resolve) => client.child.once('close', resolve));
  return client.output;
}

type Figures = Omit<SessionFigures, 'processorSeconds'>;

function figuresOf(output: string): Figures {
  const find = (pattern: RegExp): number[] => {
    const match = [...output.matchAll(new RegExp(pattern, 'g'))].at(-1);
    if (match === null || match === undefined) throw new Error(`${CLIENT} said something else:\n${output}`);
    return match.slice(1).map(Number);
  };
  const [sent = 0, received = 0] = find(/tot_send_msgs=(\d+), tot_recv_msgs=(\d+)/);
  const [delay = 0, , mostDelay = 0] = find(
    /Average round trip delay ([\d.]+) ms; min = (\d+) ms, max = (\d+) ms/,
  );
  const [jitter = 0, , mostJitter = 0] = find(/Average jitter ([\d.]+) ms; min = (\d+) ms, max = (\d+) ms/);
  return {
    sent,
    lost: sent - received,
    delay: { mean: delay, most: mostDelay },
    jitter: { mean: jitter, most: mostJitter },
  };
}

function summary(all: readonly Figures[]): Figures {
  const sum = (figure: (one: Figures) => number) => all.reduce((total, one) => total + figure(one), 0);
  const mean = (figure: (one: Figures) => number) => sum(figure) / all.length;
  return {
    sent: sum(({ sent }) => sent),
    lost: sum(({ lost }) => lost),
    delay: { mean: mean(({ delay }) => delay.mean), most: Math.max(...all.map(({ delay }) => delay.most)) },
    jitter: {
      mean: mean(({ jitter }) => jitter.mean),
      most: Math.max(...all.map(({ jitter }) => jitter.most)),
    },
  };
}
