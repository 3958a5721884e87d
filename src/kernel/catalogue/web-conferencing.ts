import type { Catalogue } from './entry.ts';

/** Errors of web conferencing (SLP-WEB-nnnn): 0130 to 0149 are those of the headless participant and the build of the browser client. */
export const webConferencingErrors = {
  'SLP-WEB-0130': {
    blame: 'peer',
    summary: 'a participant was not let into the meeting',
    remedy:
      'The reason stands behind the colon: wrong-link and wrong-password are what they say; unreachable means signalling, ' +
      'unavailable an answer that makes no sense, or none.',
  },
  'SLP-WEB-0131': {
    blame: 'peer',
    summary: 'a file of a meeting could not be fetched',
    remedy: 'Its hash stands behind the colon. Check that the place of the participant is reachable.',
  },
  'SLP-WEB-0132': {
    blame: 'peer',
    summary: 'a meeting never came to look as it was expected to',
    remedy:
      'What was waited for stands behind the colon; the log of the web conferencing service has what was refused.',
  },
} as const satisfies Catalogue;
