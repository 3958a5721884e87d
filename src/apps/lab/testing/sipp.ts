import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SCENARIOS = join(import.meta.dirname, '..', 'testdata', 'sipp');

export interface SippPlay {
  /** A file of `testdata/sipp`, without its ending. */
  readonly scenario: string;
  readonly folder: string;
  /** SIPp's own address. */
  readonly address: string;
  /** Where it connects to by TCP, `address:port`. */
  readonly server: string;
  readonly user: string;
  readonly password: string;
  readonly domain: string;
  /** The user whom the scenario is about, besides its own. */
  readonly other: string;
  /** How often, all at once; default 1. */
  readonly calls?: number;
  /** Begins the Call-ID of every call, the number of the call follows: SIPp knows what it is sent by it. Default: its own. */
  readonly callIds?: string;
}

/** Plays a scenario; resolves with what SIPp said when it was not content, else with nothing. */
export async function playSipp(play: SippPlay): Promise<string> {
  const { scenario, folder, address, server, user, password, domain, other, calls = 1, callIds } = play;
  const values = join(folder, `${scenario}.csv`);
  const login = `[authentication username=${user} password=${password}]`;
  writeFileSync(values, `SEQUENTIAL\n${user};${login};${domain};${other}\n`);
  const errors = join(folder, `${scenario}.errors`);
  const number = String(calls);
  const child = spawn(
    'sipp',
    [
      ...[server, '-i', address, '-t', 't1', '-m', number, '-r', number, '-l', number, '-nostdin'],
      ...['-sf', join(SCENARIOS, `${scenario}.xml`), '-inf', values, '-auth_uri', domain],
      ...['-trace_err', '-error_file', errors, '-timeout', '120', '-timeout_error', '-recv_timeout', '90000'],
      ...(callIds === undefined ? [] : ['-cid_str', `${callIds}-%u`]),
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status === 0) return '';
  const said = existsSync(errors) ? readFileSync(errors, 'utf8') : '';
  return `SIPp ended with ${status}: ${said}`;
}
