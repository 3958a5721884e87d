export type { UpgradeRefusal } from './upgrade.ts';
export { WebSocketAcceptor, type WebSocketAcceptorOptions } from './web-socket-acceptor.ts';
