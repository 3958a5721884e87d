import { readdirSync, readFileSync } from 'node:fs';

/*
 * What a run has left on this machine, read from /proc: processes by a mark in the environment that every descendant
 * inherits, sockets by the loopback network that was the run's own.
 */

const MARK = 'SALLYPORT_TEST_RUN';
const TCP_LISTEN = '0A';
/** Before local address and state in a line of /proc/net/tcp and /proc/net/udp. */
const SOCKET_LINE = /^\s*\d+: ([0-9A-F]{8}):([0-9A-F]{4}) [0-9A-F]{8}:[0-9A-F]{4} ([0-9A-F]{2}) /;

/** The environment that makes a child and all its descendants known by `mark`. */
export function marked(mark: string): Record<string, string> {
  return { [MARK]: mark };
}

/** Process ids of those that run with this mark; a process that only waits to be reaped runs no more. */
export function processesOf(mark: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && carries(pid, mark) && isAlive(pid));
}

export function isAlive(pid: number): boolean {
  return !/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`) || 'State: X');
}

/** Listening TCP and all UDP sockets on 127.`network`.x.y, e.g. `tcp 127.71.1.10:443`. */
export function socketsOf(network: number): string[] {
  const found: string[] = [];
  for (const transport of ['tcp', 'udp']) {
    for (const line of read(`/proc/net/${transport}`).split('\n')) {
      const [, address = '', port = '', state] = SOCKET_LINE.exec(line) ?? [];
      const bytes = Buffer.from(address, 'hex').reverse();
      if (bytes[0] !== 127 || bytes[1] !== network) continue;
      if (transport === 'udp' || state === TCP_LISTEN) {
        found.push(`${transport} ${bytes.join('.')}:${Number.parseInt(port, 16)}`);
      }
    }
  }
  return found;
}

function carries(pid: number, mark: string): boolean {
  return read(`/proc/${pid}/environ`).split('\0').includes(`${MARK}=${mark}`);
}

/** Empty when the process is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
