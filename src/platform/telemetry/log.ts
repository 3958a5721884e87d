import { type Logger, pino } from 'pino';
import { redact } from './redaction.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log: one JSON object a line. `event` is a short stable phrase without data in it; what was particular
 * goes into fields, where secrets are replaced by key name at any depth and JSON escapes whatever a peer sent.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel | undefined;
  /** Fields of every line, for example `{ service: 'access' }`. */
  readonly fields?: LogFields | undefined;
  /** Gets whole lines with their newline. Default: standard output, written at once. */
  readonly write?: ((line: string) => void) | undefined;
}

export function createLog(options: LogOptions = {}): Log {
  const settings = {
    level: options.level ?? 'info',
    base: sanitise(options.fields),
    messageKey: 'event',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const write = options.write;
  const destination = write === undefined ? pino.destination({ dest: 1, sync: true }) : { write };
  return new PinoLog(pino(settings, destination));
}

class PinoLog implements Log {
  readonly #pino: Logger;
  constructor(logger: Logger) {
    this.#pino = logger;
  }
  debug(event: string, fields?: LogFields): void {
    if (this.#pino.isLevelEnabled('debug')) this.#pino.debug(sanitise(fields), event);
  }
  info(event: string, fields?: LogFields): void {
    if (this.#pino.isLevelEnabled('info')) this.#pino.info(sanitise(fields), event);
  }
  warn(event: string, fields?: LogFields): void {
    if (this.#pino.isLevelEnabled('warn')) this.#pino.warn(sanitise(fields), event);
  }
  error(event: string, fields?: LogFields): void {
    if (this.#pino.isLevelEnabled('error')) this.#pino.error(sanitise(fields), event);
  }
  child(fields: LogFields): Log {
    return new PinoLog(this.#pino.child(sanitise(fields)));
  }
}

/** Names that every line has already. */
const RESERVED = ['level', 'time', 'event'];

function sanitise(fields: LogFields | undefined): Record<string, unknown> {
  if (fields === undefined) return {};
  const copy = redact(fields) as Record<string, unknown>;
  for (const name of RESERVED) {
    if (!(name in copy)) continue;
    copy[`${name}_`] = copy[name];
    delete copy[name];
  }
  return copy;
}

const NOWHERE: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => NOWHERE,
};

export function silentLog(): Log {
  return NOWHERE;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly [field: string]: unknown;
}
export interface MemoryLog extends Log {
  /** Every line of this log and its children, parsed. */
  readonly lines: readonly LogLine[];
}

/** A log for tests: keeps its lines, all levels, in the form in which they would have been printed. */
export function memoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  const log = createLog({ level: 'debug', write: (line) => lines.push(JSON.parse(line) as LogLine) });
  return {
    lines,
    debug: (event, fields) => log.debug(event, fields),
    info: (event, fields) => log.info(event, fields),
    warn: (event, fields) => log.warn(event, fields),
    error: (event, fields) => log.error(event, fields),
    child: (fields) => log.child(fields),
  };
}
