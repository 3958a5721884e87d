import type { Catalogue } from './entry.ts';

/** Errors of the logging agent and the log controller (SLP-LOG-nnnn). */
export const loggingErrors = {
  'SLP-LOG-0001': {
    blame: 'operator',
    summary: 'there is no such name',
    remedy: 'Write one of the names that logs show --known lists.',
  },
  'SLP-LOG-0002': {
    blame: 'peer',
    summary: 'a message between log controller and logging agent cannot be read',
    remedy: 'Upgrade the older of the two: at most one version lies between them.',
  },
} as const satisfies Catalogue;
