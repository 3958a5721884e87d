import { basename } from 'node:path';
import type { HostView } from './host-view.ts';
import type { SocketOwner } from './readings.ts';

/** How far the search for the owners of sockets goes: processes, and open files of all of them together. */
const MOST_PROCESSES = 20_000;
const MOST_FILES = 500_000;

/** Services that keep a clock, by the name of their program. */
const CLOCK_KEEPERS = new Set([
  'chronyd',
  'ntpd',
  'ntpsec',
  'openntpd',
  'systemd-timesyncd',
  'ptp4l',
  'phc2sys',
]);

/** The kernel cuts names after 15 characters. */
const LONGEST_NAME = 15;

export interface Processes {
  readonly owners: ReadonlyMap<string, SocketOwner>;
  readonly clockKeeper: string | undefined;
}

/** Who has which of the sockets open, by inode, and which service keeps the clock. */
export function surveyProcesses(host: HostView, inodes: ReadonlySet<string>): Processes {
  const owners = new Map<string, SocketOwner>();
  let clockKeeper: string | undefined;
  let files = 0;
  const ids = (host.list('/proc') ?? []).filter((name) => /^\d+$/.test(name)).slice(0, MOST_PROCESSES);
  for (const id of ids) {
    clockKeeper ??= clockKeeperOf(host.text(`/proc/${id}/comm`)?.trim());
    if (owners.size === inodes.size || files > MOST_FILES) continue;
    for (const file of host.list(`/proc/${id}/fd`) ?? []) {
      files += 1;
      const inode = /^socket:\[(\d+)\]$/.exec(host.link(`/proc/${id}/fd/${file}`) ?? '')?.[1];
      if (inode === undefined || !inodes.has(inode) || owners.has(inode)) continue;
      owners.set(inode, { pid: Number(id), name: programName(host, id) });
    }
  }
  return { owners, clockKeeper };
}

/** A thread may call itself anything; its program's file says more. */
function programName(host: HostView, id: string): string {
  const program = host.link(`/proc/${id}/exe`)?.replace(/ \(deleted\)$/, '');
  return program === undefined ? (host.text(`/proc/${id}/comm`)?.trim() ?? 'unknown') : basename(program);
}

function clockKeeperOf(name: string | undefined): string | undefined {
  if (name === undefined || name === '') return undefined;
  return [...CLOCK_KEEPERS].find((keeper) => keeper.slice(0, LONGEST_NAME) === name);
}
