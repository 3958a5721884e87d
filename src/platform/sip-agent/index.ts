export { NextHopAgent, type NextHopSettings } from './next-hop-agent.ts';
export { type SipFailure, type SipOutcome, SipSide } from './sip-side.ts';
