import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { isIP } from 'node:net';
import { type Clock, err, type Failure, failure, literalLookup, ok, type Random, type Result } from '#kernel';
import type { Resolver } from '#platform/dns';
import { reach } from '#platform/partner-dial';
import type { Trace } from '#platform/telemetry';

export interface FetchOptions {
  readonly resolver: Resolver;
  /** The Access addresses; at most one of each family. */
  readonly localAddresses: readonly string[];
  /** Whether an address may be asked; see addressGuard of `#platform/partner-dial`. */
  readonly mayDial: (address: string) => boolean;
  /** The only ports that are asked; the firewall lets 80 out (port row ext-02). */
  readonly ports: readonly number[];
  /** Of a list. */
  readonly bytes: number;
  /** For everything: names, connection, list. Milliseconds. */
  readonly totalMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Where a list is, once its URL was found fit. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** Fetches a file by `http:` from a public address, within bounds; redirects are not followed. Never rejects. */
export async function fetchList(url: string, options: FetchOptions, trace?: Trace): Promise<Result<Buffer>> {
  const place = placeOf(url, options.ports);
  if (place === undefined) return err(failure('SLP-PKI-0004', urlText(url)));
  const reached = await reach<Buffer>({
    way: { targets: [{ host: place.host, port: place.port, service: undefined }] },
    resolver: options.resolver,
    localAddresses: options.localAddresses,
    mayDial: options.mayDial,
    attempt: ({ remote, localAddress }, signal) => get(place, remote.address, localAddress, options, signal),
    discard: () => {},
    targetMs: options.totalMs,
    clock: options.clock,
    random: options.random,
    ...(trace === undefined ? {} : { trace }),
  });
  return reached.ok ? ok(reached.value.value) : err(withUrl(reached.error, url));
}

/** Undefined for what is not fetched: other schemes (a list by https would need a list), user names, other ports. */
function placeOf(url: string, ports: readonly number[]): Place | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search } = new URL(url);
  const number = port === '' ? 80 : Number(port);
  if (protocol !== 'http:' || username !== '' || password !== '' || !ports.includes(number)) return undefined;
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { host, port: number, path: `${pathname}${search}` };
}

function get(
  place: Place,
  address: string,
  localAddress: string,
  { bytes }: FetchOptions,
  signal: AbortSignal,
): Promise<Result<Buffer>> {
  const { promise, resolve } = Promise.withResolvers<Result<Buffer>>();
  const fail = (detail: string): void => resolve(err(failure('SLP-PKI-0005', detail)));
  const asked: ClientRequest = request({
    host: address,
    port: place.port,
    path: place.path,
    localAddress,
    lookup: literalLookup,
    family: isIP(address),
    headers: { host: hostHeader(place), accept: 'application/pkix-crl', connection: 'close' },
    agent: false,
    signal,
    maxHeaderSize: 16 * 1024,
  });
  asked.on('error', (problem: NodeJS.ErrnoException) => fail(problem.code ?? problem.message));
  asked.on('response', (response) => {
    const end = (result: Result<Buffer>): void => {
      resolve(result);
      asked.destroy();
    };
    readBody(response, bytes, end);
  });
  asked.end();
  return promise;
}

function readBody(response: IncomingMessage, most: number, end: (result: Result<Buffer>) => void): void {
  const { statusCode, headers } = response;
  if (statusCode !== 200) {
    end(err(failure('SLP-PKI-0005', `status ${statusCode ?? 'unknown'}`)));
    return;
  }
  const tooLarge = () => end(err(failure('SLP-PKI-0005', `more than ${most} bytes`)));
  if (Number(headers['content-length'] ?? 0) > most) {
    tooLarge();
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > most) tooLarge();
    else chunks.push(chunk);
  });
  response.on('end', () => end(ok(Buffer.concat(chunks))));
  response.on('error', () => end(err(failure('SLP-PKI-0005', 'the answer was cut'))));
}

function hostHeader({ host, port }: Place): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === 80 ? name : `${name}:${port}`;
}

function withUrl(problem: Failure, url: string): Failure {
  return { ...problem, message: `${urlText(url)}: ${problem.message}` };
}

/** For a log line. */
function urlText(url: string): string {
  return url.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, '?');
}
