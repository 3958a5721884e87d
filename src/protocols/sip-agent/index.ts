export type { AgentIdentity } from './requests.ts';
export { type AgentFailure, SipAgent, type SipAgentOptions } from './sip-agent.ts';
