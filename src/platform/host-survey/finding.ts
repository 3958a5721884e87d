import type { Severity } from '#platform/topology';

/** One thing to say about the host. */
export interface HostFinding {
  readonly severity: Severity;
  /** The rule's stable name, such as `port-taken`. */
  readonly rule: string;
  readonly what: string;
  readonly why: string;
  /** Exact commands or settings, one a line. */
  readonly change: readonly string[];
}

export type Say = (severity: Severity, what: string, why: string, ...change: string[]) => void;

/** The file that keeps a kernel setting over a restart. */
const SYSCTL_FILE = '/etc/sysctl.d/60-sallyport.conf';

/** Sets a kernel setting now and for good. */
export function sysctl(key: string, value: string | number): string {
  return `echo '${key} = ${value}' >> ${SYSCTL_FILE} && sysctl -p ${SYSCTL_FILE}`;
}
