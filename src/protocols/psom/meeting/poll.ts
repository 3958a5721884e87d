import { declareInterface } from '../objects/interface.ts';

/** A question and its answers. Ours: the original's poll object is not published. */
export const poll = declareInterface({
  name: 'Poll',
  version: 1,
  server: {
    /** Presenter only, while nobody has voted. several: more than one may be chosen. */
    sSetQuestion: ['String question', 'String[] choices', 'Boolean several'],
    sSetOpen: ['Boolean open'],
    sSetResultsShown: ['Boolean shown'],
    sClearVotes: [],
    /** Numbers of the choices from 0; replaces what one voted before. */
    sVote: ['Int32[] choices'],
  },
  client: {
    cSetQuestion: ['String question', 'String[] choices', 'Boolean several'],
    cSetOpen: ['Boolean open'],
    cSetResultsShown: ['Boolean shown'],
    /** Votes for each choice, and how many voted; to those who may see them. No votes at all: not any more. */
    cSetResults: ['Int32[] votes', 'Int32 voters'],
    cSetOwnVote: ['Int32[] choices'],
    cConnectCompleted: [],
  },
});
