import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

export interface BrowserOptions {
  /** For its profile and its trust store. */
  readonly folder: string;
  /** PEM file of the authority that it trusts. */
  readonly authority: string;
  /** Addresses of names, in place of a name service. */
  readonly hosts: ReadonlyMap<string, string>;
  /** What this browser needs besides. */
  readonly flags?: readonly string[];
}

/** Debian's Chromium without a screen, which trusts one authority and really verifies what it issued. */
export async function launchBrowser({
  folder,
  authority,
  hosts,
  flags = [],
}: BrowserOptions): Promise<Browser> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: install the Debian package chromium`);
  const store = join(folder, '.pki', 'nssdb');
  mkdirSync(store, { recursive: true });
  for (const parameters of [
    ['-N', '--empty-password'],
    ['-A', '-n', 'lab', '-t', 'C,,', '-i', authority],
  ]) {
    const ran = spawnSync('certutil', ['-d', `sql:${store}`, ...parameters], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`certutil (Debian package libnss3-tools): ${ran.stderr}`);
  }
  const rules = [...hosts].map(([name, address]) => `MAP ${name} ${address}`).join(',');
  return chromium.launch({
    executablePath: PROGRAM,
    headless: true,
    env: { ...process.env, HOME: folder },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${rules}`,
      ...flags,
    ],
  });
}
