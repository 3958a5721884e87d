import { type HttpRequest, type HttpResponse, HttpService, jsonResponse, textResponse } from '#platform/http';
import type { Log } from '#platform/telemetry';
import type { BoundSocket } from './bound-socket.ts';

const LIMITS = { headerBytes: 8192, bodyBytes: 1024, connections: 32, requestMs: 10_000, idleMs: 5000 };

export interface Observed {
  metrics(): Promise<string>;
  /** `ok` decides between 200 and 503; the rest is shown. */
  health(): { readonly ok: boolean };
}

/** `/metrics` and `/healthz` for all services together, on the loopback port of the plan. */
export class Observability {
  readonly #observed: Observed;
  readonly #log: Log;
  #open: { readonly id: string; readonly http: HttpService } | undefined;

  constructor(observed: Observed, log: Log) {
    this.#observed = observed;
    this.#log = log;
  }
  /** Answers on this socket from now on, and no longer on another. */
  async serve(id: string, socket: () => BoundSocket | undefined): Promise<void> {
    if (this.#open?.id === id) return;
    await this.close();
    const bound = socket();
    if (bound === undefined) return;
    const http = new HttpService({
      limits: LIMITS,
      log: this.#log,
      handle: (request) => this.#handle(request),
    });
    await http.listen(bound);
    this.#open = { id, http };
  }
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.http.close();
  }

  async #handle(request: HttpRequest): Promise<HttpResponse> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return textResponse(405, 'GET\n');
    switch (request.path) {
      case '/metrics':
        return textResponse(200, await this.#observed.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
      case '/healthz': {
        const health = this.#observed.health();
        return jsonResponse(health.ok ? 200 : 503, health);
      }
      default:
        return textResponse(404, 'here are /metrics and /healthz\n');
    }
  }
}
