export { borrowReads } from './borrowed-reads.ts';
export type { CloseReason, Connection, HalfOpenConnection, TlsFacts } from './connection.ts';
export { ConnectionStream } from './connection-stream.ts';
export { ConnectionSweep } from './connection-sweep.ts';
export { type DialOptions, dialTls } from './dial-tls.ts';
export { type Endpoint, parseSource, sourceKey, sourceText } from './endpoint.ts';
export type { FirstBytes } from './first-bytes.ts';
export { verifyPeer } from './peer-certificate.ts';
export type { RaceLimits } from './race/attempt-plan.ts';
export { type Attempt, type RaceLost, type RaceOptions, race } from './race/race.ts';
export type { RefusalReason } from './refusal.ts';
export type { TlsIdentity } from './secure-contexts.ts';
export { type Stranger, Strangers } from './strangers.ts';
export { numberConnections, processOfConnection, takeSocket, whenGood } from './stream-connection.ts';
export { type TicketFamily, TicketKeys } from './ticket-keys.ts';
export {
  type ClientCertificate,
  type SourcesElsewhere,
  TlsAcceptor,
  type TlsAcceptorOptions,
  type TlsChange,
  type TlsLimits,
} from './tls-acceptor.ts';
