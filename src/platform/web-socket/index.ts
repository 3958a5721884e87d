export { type RequestHead, readHead, type UpgradeRefusal, upgradeRefusals } from './upgrade.ts';
export { WebSocketAcceptor, type WebSocketAcceptorOptions } from './web-socket-acceptor.ts';
