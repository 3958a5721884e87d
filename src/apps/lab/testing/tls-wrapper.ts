import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProgram } from './child-program.ts';

export interface WrappedClient {
  readonly name: string;
  /** Where it listens for the client, by plain TCP. */
  readonly address: string;
  readonly port: number;
}

export interface TlsWrapperOptions {
  readonly folder: string;
  /** Each reaches the server from its own address. */
  readonly clients: readonly WrappedClient[];
  readonly server: { readonly address: string; readonly port: number; readonly name: string };
  /** PEM file of the authority that it trusts. */
  readonly authority: string;
}

/** Debian's HAProxy in front of clients that speak no TLS: it does so for them, asks for the name, and verifies the certificate. */
export async function startTlsWrapper({
  folder,
  clients,
  server,
  authority,
}: TlsWrapperOptions): Promise<ChildProgram> {
  const file = join(folder, 'haproxy.cfg');
  const { address, port, name } = server;
  const verified = `ssl verify required ca-file ${authority} sni str(${name}) verifyhost ${name}`;
  const listens = clients.map(
    (client) => `listen ${client.name}
  bind ${client.address}:${client.port}
  server edge ${address}:${port} source ${client.address} ${verified}
`,
  );
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 5m
  timeout server 5m
${listens.join('')}`,
  );
  const program = new ChildProgram({
    program: 'haproxy',
    debianPackage: 'haproxy',
    parameters: ['-W', '-db', '-f', file],
    folder,
  });
  await program.printed(/Loading success/);
  return program;
}
