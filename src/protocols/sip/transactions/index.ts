export { type ClientState, ClientTransaction } from './client-transaction.ts';
export { headOf, readHead, responseToTag } from './hop-requests.ts';
export { TransactionLayer, type TransactionLayerOptions } from './layer.ts';
export { type ServerState, ServerTransaction } from './server-transaction.ts';
export type { TimerValues } from './timer-values.ts';
export type {
  ClientOutcome,
  ClientRequest,
  ClientTransactionUser,
  FlowId,
  RequestOutcome,
  RequestRefusal,
  ResponseOutcome,
  ServerTransactionUser,
  StrayReason,
  Transaction,
  TransactionAction,
  TransactionCounts,
  TransactionFailure,
  TransactionLimits,
} from './types.ts';
