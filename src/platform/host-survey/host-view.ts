import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { hostname, type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** The windows through which a host is looked at. Whatever cannot be seen is undefined; nothing here throws. */
export interface HostView {
  /** The text of a file, of its first 8 MiB. */
  text(path: string): string | undefined;
  /** The names in a folder. */
  list(folder: string): readonly string[] | undefined;
  link(path: string): string | undefined;
  /** What a program of the host prints, bounded in time and size. */
  run(program: string, parameters: readonly string[]): { status: number; out: string } | undefined;
  interfaces(): Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  hostName(): string;
  userId(): number | undefined;
  environment(name: string): string | undefined;
}

const LARGEST_FILE = 8 << 20;
const RUN_MS = 3000;

/** This host. */
export const thisHost: HostView = {
  text: (path) => attempt(() => readStart(path)),
  list: (folder) => attempt(() => readdirSync(folder)),
  link: (path) => attempt(() => readlinkSync(path)),
  run(program, parameters) {
    try {
      const options = { encoding: 'utf8', stdio: 'pipe', timeout: RUN_MS, maxBuffer: 65536 } as const;
      return { status: 0, out: execFileSync(program, parameters, options) };
    } catch (error) {
      const { status } = error as { status?: number | null };
      return typeof status === 'number' ? { status, out: '' } : undefined;
    }
  },
  interfaces: () => attempt(networkInterfaces) ?? {},
  hostName: hostname,
  userId: () => process.getuid?.(),
  environment: (name) => process.env[name],
};

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** The kernel's files say that they are empty, so that they are read until they end. */
function readStart(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let length = 0; length < LARGEST_FILE; ) {
      const piece = Buffer.alloc(65536);
      const read = readSync(descriptor, piece);
      if (read === 0) break;
      pieces.push(piece.subarray(0, read));
      length += read;
    }
    return Buffer.concat(pieces).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
