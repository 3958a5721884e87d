import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { freePort } from './dnsmasq.ts';

/**
 * Starts BIND's named, a name server that we did not write, as the authority for one zone; it ends with the test.
 * @param records lines of the zone file after SOA and NS
 * @returns its address and port
 */
export async function startNamed(
  t: TestContext,
  zone: string,
  records: readonly string[],
): Promise<{ readonly address: string; readonly port: number }> {
  const address = '127.0.0.1'; // named listens on addresses of interfaces only, and this is the one that loopback has
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'named-'));
  const head = [
    '$TTL 300',
    `@ IN SOA ns.${zone}. admin.${zone}. 1 3600 600 86400 45`,
    `@ IN NS ns.${zone}.`,
    'ns IN A 192.0.2.53',
  ];
  writeFileSync(join(folder, 'zone'), `${[...head, ...records].join('\n')}\n`);
  writeFileSync(join(folder, 'broken'), 'this is no zone file\n');
  writeFileSync(join(folder, 'named.conf'), configuration(folder, address, port, zone));
  const child = spawn('named', ['-g', '-n', '1', '-c', join(folder, 'named.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true });
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (!line.endsWith(' running')) continue;
    child.stderr.resume();
    return { address, port };
  }
  throw new Error(`named did not start: ${said.slice(-5).join('; ')}`);
}

/** An authority that answers SERVFAIL for a zone it cannot load, and recurses for nobody. */
function configuration(folder: string, address: string, port: number, zone: string): string {
  return `options {
  directory "${folder}"; pid-file none; session-keyfile none; managed-keys-directory "${folder}";
  listen-on port ${port} { ${address}; }; listen-on-v6 { none; };
  recursion no; minimal-responses yes; notify no; dnssec-validation no; check-names primary ignore;
};
controls { };
zone "${zone}" { type primary; file "${folder}/zone"; };
zone "broken.example" { type primary; file "${folder}/broken"; };
`;
}
