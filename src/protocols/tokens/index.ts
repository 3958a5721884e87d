export { decodeFlowToken, encodeFlowToken, type FlowToken } from './flow-token.ts';
export { openToken, sealToken, type TokenError, type TokenKey, type TokenKeys, tokenKey } from './token.ts';
