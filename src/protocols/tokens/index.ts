export { decodeFlowToken, encodeFlowToken, type FlowToken } from './flow-token.ts';
export { type TokenError, type TokenKey, type TokenKeys, tokenKey } from './token.ts';
