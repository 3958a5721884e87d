import { endpointText } from '../address.ts';
import type { ReadSetting } from '../document/read-document.ts';
import { type Path, pathText, quote } from '../finding.ts';
import type { TracedListener } from '../plan/listeners.ts';
import { serviceTitle } from '../plan/service-names.ts';
import { valueAt } from '../value-at.ts';
import type { Rule, Say } from './rule.ts';

/** What the rules of both documents look at. */
export interface CommonFacts {
  readonly draft: unknown;
  readonly settings: readonly ReadSetting[];
  readonly listeners: readonly TracedListener[];
}

/** Nothing stands twice in a list. */
export const duplicate: Rule<CommonFacts> = {
  name: 'duplicate',
  check({ settings }, say) {
    for (const { path, value } of settings) {
      if (Array.isArray(value)) sayRepeats(value, path, say);
    }
  },
};

function sayRepeats(values: readonly unknown[], path: Path, say: Say): void {
  const seen = new Map<unknown, number>();
  for (const [index, value] of values.entries()) {
    const first = seen.get(value);
    if (typeof value === 'string' && first !== undefined) {
      const what = `${quote(value)} stands twice in ${pathText(path)}`;
      say([...path, index], 'error', what, `remove it here or at [${first}]`);
    } else {
      seen.set(value, index);
    }
  }
}

/** Names and endpoints in a list of servers are each server's own. */
export function sayRepeatedServers(servers: unknown, path: Path, say: Say): void {
  if (!Array.isArray(servers)) return;
  const seen = new Map<string, number>();
  const claim = (key: string, shown: string, at: Path, index: number): void => {
    const first = seen.get(key);
    const instead = `write another, or keep only one of [${first}] and [${index}]`;
    if (first === undefined) seen.set(key, index);
    else say(at, 'error', `${shown} is also that of ${pathText(path)}[${first}]`, instead);
  };
  for (const [index, server] of servers.entries()) {
    const { name, address, port } = (server ?? {}) as { name?: string; address?: string; port?: number };
    if (name !== undefined) claim(`name ${name}`, name, [...path, index, 'name'], index);
    if (address === undefined || port === undefined) continue;
    const endpoint = endpointText(address, port);
    claim(endpoint, endpoint, [...path, index, 'address'], index);
  }
}

/** No two services on one address and port; two rows of one service may share it. */
export const portClash: Rule<CommonFacts> = {
  name: 'port-clash',
  check({ listeners }, say) {
    const taken = new Map<string, TracedListener>();
    for (const listener of listeners) {
      const endpoint = `${listener.transport.toUpperCase()} ${endpointText(listener.address, listener.port)}`;
      const first = taken.get(endpoint);
      if (first === undefined) taken.set(endpoint, listener);
      else if (first.service !== listener.service) sayClash(first, listener, endpoint, say);
    }
  },
};

function sayClash(first: TracedListener, second: TracedListener, endpoint: string, say: Say): void {
  const holder = (listener: TracedListener): string =>
    `the ${serviceTitle(listener.service)} (${listener.rows[0]}, ${pathText(listener.portPath)})`;
  const samePort = pathText(first.portPath) === pathText(second.portPath);
  const instead = samePort
    ? `give ${pathText(first.addressPath)} and ${pathText(second.addressPath)} different addresses`
    : `change ${pathText(second.portPath)}, or give one of them another address`;
  const what = `${holder(first)} and ${holder(second)} would both listen on ${endpoint}`;
  say(samePort ? second.addressPath : second.portPath, 'error', what, instead);
}

/** A header line has to fit into a message. */
export function limitOrder(path: Path): Rule<CommonFacts> {
  return {
    name: 'limit-order',
    check({ draft }, say) {
      const line = valueAt(draft, [...path, 'headerLineBytes']);
      const message = valueAt(draft, [...path, 'messageBytes']);
      if (typeof line !== 'number' || typeof message !== 'number' || line <= message) return;
      const here = pathText([...path, 'headerLineBytes']);
      const what = `${here} is ${line}, more than the ${message} of messageBytes`;
      say([...path, 'headerLineBytes'], 'error', what, `write at most ${message}`);
    },
  };
}

/** Linux keeps the path of a Unix socket in 108 bytes, the last one zero. */
const LONGEST_SOCKET_PATH = 107;

export const socketPath: Rule<CommonFacts> = {
  name: 'socket-path',
  check({ draft }, say) {
    const path = ['host', 'administration', 'socket'];
    const socket = valueAt(draft, path);
    if (typeof socket !== 'string' || Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return;
    const what = `the socket's path would be ${Buffer.byteLength(socket)} bytes long`;
    say(path, 'error', what, `write a path of at most ${LONGEST_SOCKET_PATH} bytes in ${pathText(path)}`);
  },
};
