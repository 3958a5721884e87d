import type { Catalogue } from './entry.ts';

/** Errors of web conferencing (SLP-WEB-nnnn): 0001 to 0049 are the edge's and those of the door for participants, 0130 to 0149 are those of the headless participant and the build of the browser client. */
export const webConferencingErrors = {
  'SLP-WEB-0001': {
    blame: 'operator',
    summary: 'a verified peer on the PSOM link is no web conferencing service',
    remedy:
      'Write the name of its certificate into policy.webConferencing.services if it is the service; otherwise find out why ' +
      'it dials this port.',
  },
  'SLP-WEB-0002': {
    blame: 'operator',
    summary: 'the files of the meeting client cannot be served',
    remedy: 'Build them anew with `node tools/build-meeting/main.ts`, then reload.',
  },
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
  'SLP-WEB-0050': {
    blame: 'operator',
    summary: 'the web conferencing service has nothing to do',
    remedy: 'Write webConferencing.domain into internal.yaml, then reload.',
  },
  'SLP-WEB-0051': {
    blame: 'operator',
    summary: 'the key that signs conference tokens cannot be read or made',
    remedy:
      'Let the service read and write the file named here. If the file is damaged, delete it: a new one is made, and ' +
      'participants have to join again.',
  },
  'SLP-WEB-0052': {
    blame: 'operator',
    summary: 'there is no such meeting',
    remedy:
      'List the meetings with `sallyport internal meeting list`; write the id, the address or the link.',
  },
  'SLP-WEB-0053': {
    blame: 'operator',
    summary: 'there are as many meetings as there may be',
    remedy:
      'End meetings that are over, shorten webConferencing.keptHours, or raise webConferencing.limits.meetings.',
  },
  'SLP-WEB-0054': {
    blame: 'operator',
    summary: 'a meeting needs a title',
    remedy: 'Write a title of 1 to 120 characters that can be seen.',
  },
  'SLP-WEB-0055': {
    blame: 'operator',
    summary: 'this is no address of a user',
    remedy: 'Write user@domain.',
  },
  'SLP-WEB-0056': {
    blame: 'operator',
    summary: 'what happened in meetings could not be written to the disk',
    remedy: 'Make room on the disk of webConferencing.database, and let the service write there.',
  },
  'SLP-WEB-0057': {
    blame: 'operator',
    summary: 'this meeting is over',
    remedy: 'Create another one with `sallyport internal meeting create`.',
  },
  'SLP-WEB-0058': {
    blame: 'operator',
    summary: 'the folder for files of meetings cannot be used',
    remedy:
      'Let the service make and write the folder of webConferencing.filesDirectory, on a disk with room.',
  },
  'SLP-WEB-0059': {
    blame: 'operator',
    summary: 'too many decisions about who may come into this meeting were made',
    remedy: 'Create another meeting: one meeting remembers what was decided about 1000 addresses.',
  },
  'SLP-WEB-0060': {
    blame: 'operator',
    summary: 'the key that signs conference tokens is being changed already',
    remedy:
      'Wait for what the message names; sallyport keys show conference tells more. An edge that is gone leaves webConferencing.edges.',
  },
} as const satisfies Catalogue;
