/**
 * How much an operation says for what it costs to tell: `signalling` is what somebody asked for or was answered; `flow` is what comes
 * many times a second (strokes, pointers, pieces of files), and what everybody is told of what one asked for.
 */
export type Weight = 'signalling' | 'flow';
export type Side = 'client' | 'server';

/** By interface: what a participant says many times a second. */
const FLOW: Readonly<Record<string, readonly string[]>> = {
  AnnotationContainer: ['sAdd', 'sExtend', 'sErase', 'sUndo', 'sPoint'],
  UploadStream: ['sWrite'],
};
/** What the service says to the one that asked, and that a meeting is over. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  Meeting: ['cEnded'],
  ContentManager: ['cContentCreated', 'cReserveTitleCompleted'],
  Content: ['cSetTitleComplete'],
  UploadManager: ['cAcceptUpload', 'cRejectUpload', 'cUploadFinished'],
};

/** Of a call that `from` makes. Calls on what is not known may be anything, and so they count as flow. */
export function weightOf(from: Side, declared: string, method: string): Weight {
  if (declared === '') return 'flow';
  const named = (from === 'client' ? FLOW : ANSWERS)[declared]?.includes(method) === true;
  return named === (from === 'client') ? 'flow' : 'signalling';
}
