/** What the server of the page tells before anybody is known. */
export interface ServerConfig {
  /** Where SIP is spoken: a wss URL. */
  readonly signalling: string;
}

/** GET /config.json; undefined when it cannot be had or makes no sense. */
export async function fetchConfig(): Promise<ServerConfig | undefined> {
  try {
    const answer = await fetch('/config.json', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
    const told: unknown = await answer.json();
    if (typeof told !== 'object' || told === null) return undefined;
    const { version, signalling } = told as { version?: unknown; signalling?: unknown };
    if (version !== 1 || typeof signalling !== 'string' || !signalling.startsWith('wss://')) return undefined;
    return { signalling };
  } catch {
    return undefined;
  }
}
