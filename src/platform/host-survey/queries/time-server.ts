import { type Clock, type Random, type Result, SystemClock, SystemRandom } from '#kernel';
import { decodeSntpAnswer, encodeSntpRequest } from './sntp-message.ts';
import { exchange, type QueryProblem, type Server, USUAL_WAITS } from './udp-exchange.ts';

const NONCE_BYTES = 8;

export interface ClockOffset {
  /** Seconds by which the server's clock is ahead. */
  readonly seconds: number;
  /** By how many seconds that may be wrong: half of the way there and back. */
  readonly uncertainty: number;
}

export interface QueryWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly waits: readonly number[];
}

const usualWorld: QueryWorld = { clock: new SystemClock(), random: new SystemRandom(), waits: USUAL_WAITS };

/** Asks a time server how far this host's clock is off (RFC 5905 §14). It sets nothing. */
export function askTimeServer(
  server: Server,
  from: string | undefined,
  { clock, random, waits }: QueryWorld = usualWorld,
): Promise<Result<ClockOffset, QueryProblem>> {
  let nonce = random.bytes(NONCE_BYTES);
  let sentAt = clock.wall();
  return exchange({
    server,
    from,
    waits,
    request() {
      // One for each attempt, so that a late answer is not taken for one to the next.
      nonce = random.bytes(NONCE_BYTES);
      sentAt = clock.wall();
      return encodeSntpRequest(nonce);
    },
    read(datagram) {
      const now = clock.wall();
      const answer = decodeSntpAnswer(datagram, nonce, now);
      if (!answer.ok) return undefined;
      // RFC 5905 §8: offset and delay from the four times.
      const { receivedAt, answeredAt } = answer.value;
      const offset = (receivedAt - sentAt + (answeredAt - now)) / 2;
      const delay = now - sentAt - (answeredAt - receivedAt);
      return { seconds: offset / 1000, uncertainty: Math.max(delay, 0) / 2000 };
    },
  });
}
