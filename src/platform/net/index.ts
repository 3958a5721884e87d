export { type CloseReason, type Connection, closeReasons, type TlsFacts } from './connection.ts';
export { type DialOptions, dialTls } from './dial-tls.ts';
export { type Endpoint, sourceKey } from './endpoint.ts';
export { type RefusalReason, refusalReasons } from './refusal.ts';
export type { TlsIdentity } from './secure-contexts.ts';
export {
  type ClientCertificate,
  TlsAcceptor,
  type TlsAcceptorOptions,
  type TlsChange,
  type TlsLimits,
} from './tls-acceptor.ts';
