/** For tests of other rooms: somebody at a partner, and the names that lead there. */
export { fromBob, PARTNER, TestNames, TestPartner } from '../federation/testing/partners.ts';
