import { createSocket } from 'node:dgram';
import { err, literalLookup, ok, type Result } from '#kernel';
import { addressFamily } from '#platform/topology';

/** Why a question to a server outside has no answer. */
export type QueryProblem = 'unreachable' | 'no-answer' | 'not-understood';

export interface Server {
  /** An IP address: names would be looked up, and the resolver is one of the things in question. */
  readonly address: string;
  readonly port: number;
}

export interface Exchange<Answer> {
  readonly server: Server;
  /** The address of this host to ask from; the kernel's choice when left out. */
  readonly from: string | undefined;
  /** The datagram to send; called for each attempt. */
  request(): Uint8Array;
  /** The answer in a datagram from the server, or undefined when it is none to the request. */
  read(datagram: Uint8Array): Answer | undefined;
  /** Milliseconds to wait after each attempt. */
  readonly waits: readonly number[];
}

/** Three attempts within three and a half seconds. */
export const USUAL_WAITS: readonly number[] = [500, 1000, 2000];

/** Asks a server over UDP, a few times, each time a little longer. Datagrams of anybody else are passed over. */
export function exchange<Answer>(asked: Exchange<Answer>): Promise<Result<Answer, QueryProblem>> {
  const { server, from, waits } = asked;
  const socket = createSocket({
    type: addressFamily(server.address) === 6 ? 'udp6' : 'udp4',
    lookup: literalLookup,
  });
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let heard = false;
    const finish = (outcome: Result<Answer, QueryProblem>): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on('error', () => {});
      socket.close();
      resolve(outcome);
    };
    const attempt = (index: number): void => {
      const wait = waits[index];
      if (wait === undefined) return finish(err(heard ? 'not-understood' : 'no-answer'));
      socket.send(asked.request());
      timer = setTimeout(() => attempt(index + 1), wait);
    };
    socket.on('error', () => finish(err('unreachable')));
    socket.on('message', (datagram) => {
      heard = true;
      const answer = asked.read(datagram);
      if (answer !== undefined) finish(ok(answer));
    });
    socket.bind({ ...(from === undefined ? {} : { address: from }), port: 0, exclusive: true }, () => {
      socket.connect(server.port, server.address, () => attempt(0));
    });
  });
}
