import { type Clock, catalogue, type ErrorCode, err, type Failure, failure, ok, type Result } from '#kernel';
import { requestOverStream } from '#platform/http';
import { ConnectionStream, dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import type { Metrics } from '#platform/telemetry';
import {
  type EdgeReport,
  edgeReport,
  encodeActivation,
  encodePush,
  type Push,
  REPLICATION_PATHS,
  type SignedText,
} from '#protocols/replication';
import type { ManagedEdge } from './policies.ts';

export interface LinkOptions {
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** Own addresses; the one of the edge's family is dialled from. */
  readonly addresses: readonly string[];
  /** Where the edge is. */
  readonly find: (edge: ManagedEdge) => Promise<Result<string>>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const DIAL_MS = 10_000;
/** A push is answered when all services are healthy with it, or are back: 30 s each way and a margin. */
const PUSH_MS = 100_000;
const REPORT_MS = 15_000;
const REPORT_BYTES = 1_048_576;
const OUTBOUND_BYTES = 1 << 20;

/** One connection to the replica agent of an edge, dialled from inside (port row int-08). */
export class EdgeLink {
  readonly edge: ManagedEdge;
  readonly #stream: ConnectionStream;

  private constructor(edge: ManagedEdge, stream: ConnectionStream) {
    this.edge = edge;
    this.#stream = stream;
    stream.on('error', () => {});
  }

  static async dial(edge: ManagedEdge, options: LinkOptions): Promise<Result<EdgeLink>> {
    const found = await options.find(edge);
    if (!found.ok) return found;
    const place = { name: edge.name, address: found.value, port: edge.port };
    const family = place.address.includes(':');
    const localAddress = options.addresses.find((address) => address.includes(':') === family);
    if (localAddress === undefined) {
      return err(failure('SLP-CFG-0026', `${place.address}: this host has no address of that family`));
    }
    const dialled = await dialTls({
      remote: { address: place.address, port: place.port },
      localAddress,
      servername: edge.name,
      expectNames: [edge.name],
      alpn: ['http/1.1'],
      credentials: options.credentials,
      trust: options.trust,
      handshakeMs: DIAL_MS,
      outboundBytes: OUTBOUND_BYTES,
      clock: options.clock,
      metrics: options.metrics,
    });
    return dialled.ok
      ? ok(new EdgeLink(edge, new ConnectionStream(dialled.value)))
      : err(linkProblem(place, dialled.error));
  }

  report(): Promise<Result<EdgeReport>> {
    return this.#ask('GET', REPLICATION_PATHS.report, undefined, REPORT_MS);
  }
  /** The report after the push, whatever came of it. */
  async push(push: Push): Promise<Result<EdgeReport>> {
    const encoded = encodePush(push);
    if (!encoded.ok) return err(encoded.error.failure);
    return this.#ask('POST', REPLICATION_PATHS.push, encoded.value, PUSH_MS);
  }
  /** The report after it, whatever came of it. */
  activate(activation: SignedText): Promise<Result<EdgeReport>> {
    return this.#ask('POST', REPLICATION_PATHS.activation, encodeActivation(activation), PUSH_MS);
  }
  close(): void {
    this.#stream.destroy();
  }

  async #ask(
    method: 'GET' | 'POST',
    path: string,
    body: Buffer | undefined,
    timeoutMs: number,
  ): Promise<Result<EdgeReport>> {
    let text: string;
    try {
      const host = this.edge.name;
      const content = body === undefined ? {} : { body };
      const request = {
        stream: this.#stream,
        host,
        method,
        path,
        timeoutMs,
        answerBytes: REPORT_BYTES,
        keep: true,
      };
      const answer = await requestOverStream({ ...request, ...content });
      text = answer.body.toString('utf8');
      const told = answer.status >= 500 ? problemIn(text) : undefined;
      if (told !== undefined) return err(failure(told.code, `${host}: ${told.message}`));
    } catch (error) {
      return err(failure('SLP-CFG-0027', `${this.edge.name}: ${(error as Error).message}`, error));
    }
    return this.#parse(text);
  }

  #parse(text: string): Result<EdgeReport> {
    try {
      const parsed = edgeReport.safeParse(JSON.parse(text));
      if (parsed.success && parsed.data.edge === this.edge.name) return ok(parsed.data);
    } catch {
      // Not even JSON; the same as a report of another form.
    }
    return err(failure('SLP-CFG-0028', this.edge.name));
  }
}

/** The code and the words with which an edge says that it cannot even report. */
function problemIn(text: string): { code: ErrorCode; message: string } | undefined {
  const [, code = '', message = ''] = /^(SLP-CFG-\d{4}) ([^\n]{0,500})/.exec(text) ?? [];
  return code in catalogue ? { code: code as ErrorCode, message } : undefined;
}

/** A failure of the dial in the words of this link: the usual causes are the port and the names. */
function linkProblem(place: { name: string; address: string; port: number }, problem: Failure): Failure {
  const at = `${place.name} at ${place.address} port ${place.port} (port row int-08)`;
  if (/ECONNREFUSED/.test(problem.message)) return failure('SLP-CFG-0029', at);
  if (problem.code === 'SLP-NET-0010' || problem.code === 'SLP-NET-0011') {
    return failure('SLP-CFG-0030', `${at}: ${problem.message}`);
  }
  return problem;
}
