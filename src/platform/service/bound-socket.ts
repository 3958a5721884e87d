import type { SendHandle } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { err, type Failure, failure, ok, type Result } from '#kernel';
import type { ListenerPlan } from '#platform/topology';

/**
 * A socket that is bound and nothing more: nobody listens, accepts or reads on it here. `net.Server.listen` and
 * `dgram.Socket.bind` adopt one, and so does another process to which it is sent; as long as one process holds it
 * open the kernel keeps the port, the backlog and the receive queue.
 */
export interface BoundSocket {
  /** Negative once closed. */
  readonly fd: number;
  close(): void;
}

interface RawSocket extends BoundSocket {
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  getsockname(out: { address?: string; port?: number }): number;
}
interface Bindings {
  binding(name: 'tcp_wrap'): { TCP: new (kind: number) => RawSocket; constants: { SERVER: number } };
  binding(name: 'udp_wrap'): { UDP: new () => RawSocket };
}

/**
 * The runtime's own socket classes, by the one call that gives them. Its public ones do not fit: `net.Server` accepts
 * and `dgram.Socket` reads as soon as they are bound, and `net.BoundSocket` is TCP only and cannot be sent.
 */
const bindings = process as unknown as Bindings;

/** The same bit for both transports: IPv6 sockets never take IPv4. */
const IPV6_ONLY = 1;

/**
 * Several sockets of one account share address and port: the kernel spreads connections over them, and datagrams by
 * where they come from. The runtime has another bit for each transport.
 */
const REUSE_PORT = { tcp: 2, udp: 64 } as const;

/** Binds one planned socket. The failure names row, address, port and what to do. */
export function bindListener(plan: ListenerPlan): Result<BoundSocket> {
  return bind(plan, 0);
}

/**
 * Binds so many sockets for one listener, one a process or thread that serves it. Nobody else may have the port: that is
 * found out first, since sockets that share one do not refuse another program of the same account.
 * @param count at least 2
 */
export function bindShared(plan: ListenerPlan, count: number): Result<BoundSocket[]> {
  const alone = bind(plan, 0);
  if (!alone.ok) return alone;
  alone.value.close();
  const sockets: BoundSocket[] = [];
  while (sockets.length < count) {
    const bound = bindAgain(plan);
    if (!bound.ok) {
      for (const socket of sockets) socket.close();
      return bound;
    }
    sockets.push(bound.value);
  }
  return ok(sockets);
}

/** One more of those, in the place of one that was closed. */
export function bindAgain(plan: ListenerPlan): Result<BoundSocket> {
  return bind(plan, REUSE_PORT[plan.transport]);
}

function bind(plan: ListenerPlan, flags: number): Result<BoundSocket> {
  if (plan.address === '0.0.0.0' || plan.address === '::') {
    return err(failure('SLP-SVC-0005', `${describe(plan)}: a wildcard address is never bound`));
  }
  const socket = plan.transport === 'tcp' ? newTcp() : new (bindings.binding('udp_wrap').UDP)();
  const status = isIPv6(plan.address)
    ? socket.bind6(plan.address, plan.port, IPV6_ONLY | flags)
    : socket.bind(plan.address, plan.port, flags);
  // The event loop library keeps EADDRINUSE of a TCP bind back until the next call on the socket.
  const problem = status === 0 ? socket.getsockname({}) : status;
  if (problem === 0) return ok(socket);
  socket.close();
  return err(bindFailure(plan, getSystemErrorName(problem)));
}

function newTcp(): RawSocket {
  const { TCP, constants } = bindings.binding('tcp_wrap');
  return new TCP(constants.SERVER);
}

/** As `child.send` takes it: the runtime sends its own socket classes as they are. */
export function sendable(socket: BoundSocket): SendHandle {
  return socket as unknown as SendHandle;
}

function bindFailure(plan: ListenerPlan, name: string): Failure {
  const detail = `${describe(plan)} (${name})`;
  if (name === 'EADDRINUSE') return failure('SLP-SVC-0002', detail);
  if (name === 'EADDRNOTAVAIL') return failure('SLP-SVC-0003', detail);
  if (name === 'EACCES' || name === 'EPERM') return failure('SLP-SVC-0004', detail);
  return failure('SLP-SVC-0005', detail);
}

/** `tcp [::1]:443 for access (port row ext-05)` */
export function describe(plan: ListenerPlan): string {
  const host = isIPv6(plan.address) ? `[${plan.address}]` : plan.address;
  const rows = plan.rows.length === 0 ? '' : ` (port row ${plan.rows.join(', ')})`;
  return `${plan.transport} ${host}:${plan.port} for ${plan.service}${rows}`;
}
