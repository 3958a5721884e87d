/**
 * The hello exchange that makes a stream look like TLS to a middlebox; nothing is encrypted after it ([MS-TURN]
 * §2.1.1). Both messages are fixed but for times, randoms and the session id.
 */
export const PSEUDO_CLIENT_HELLO_BYTES = 50;
export const PSEUDO_SERVER_HELLO_BYTES = 83;

const zeros = (octets: number) => '00'.repeat(octets);
const clientHello = Buffer.from(`160301002d010000290301${zeros(32)}00000200180100`, 'hex');
const serverHello = Buffer.from(`160301004e020000460301${zeros(32)}20${zeros(32)}0018000e000000`, 'hex');

/** Time and random of either hello. */
const CLOCK_AND_RANDOM = { start: 11, end: 43 };
const SESSION_ID = { start: 44, end: 76 };

/**
 * Compares the beginning of a stream with the client's hello, its time and random apart.
 * @returns 'partial' when it may still become one, 'no' as soon as it cannot
 */
export function matchPseudoClientHello(bytes: Uint8Array): 'yes' | 'partial' | 'no' {
  const seen = Math.min(bytes.length, PSEUDO_CLIENT_HELLO_BYTES);
  for (let at = 0; at < seen; at++) {
    if (at >= CLOCK_AND_RANDOM.start && at < CLOCK_AND_RANDOM.end) continue;
    if (bytes[at] !== clientHello[at]) return 'no';
  }
  return seen === PSEUDO_CLIENT_HELLO_BYTES ? 'yes' : 'partial';
}

/**
 * The client's hello.
 * @param random 32 octets for time and random
 */
export function pseudoClientHello(random: Uint8Array): Buffer {
  const hello = Buffer.from(clientHello);
  hello.set(random.subarray(0, 32), CLOCK_AND_RANDOM.start);
  return hello;
}

/**
 * The server's answer: ServerHello and ServerHelloDone in one record. It must leave in one write, with nothing after
 * it until the client has spoken, since a deployed client reads exactly this many octets at once.
 * @param random 64 octets: for time and random, and the session id
 */
export function pseudoServerHello(random: Uint8Array): Buffer {
  const hello = Buffer.from(serverHello);
  hello.set(random.subarray(0, 32), CLOCK_AND_RANDOM.start);
  hello.set(random.subarray(32, 64), SESSION_ID.start);
  return hello;
}

/** Whether these are the server's 83 octets, but for times, randoms and the session id. */
export function isPseudoServerHello(bytes: Uint8Array): boolean {
  if (bytes.length !== PSEUDO_SERVER_HELLO_BYTES) return false;
  return bytes.every((octet, at) => {
    const free =
      (at >= CLOCK_AND_RANDOM.start && at < CLOCK_AND_RANDOM.end) ||
      (at >= SESSION_ID.start && at < SESSION_ID.end);
    return free || octet === serverHello[at];
  });
}
