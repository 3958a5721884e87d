export { participantTrace } from './psom-text.ts';
export { recordOf } from './record-of.ts';
export { sipKeys } from './sip-keys.ts';
export { traceOf } from './trace-id.ts';
