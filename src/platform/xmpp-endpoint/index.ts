export { speaksForDomain } from './certificate-identity.ts';
export type {
  Arrival,
  EndpointContext,
  EndpointSettings,
  EndpointUser,
  Partner,
  StreamNotice,
  Undelivered,
} from './partner.ts';
export { type Confirm, PartnerTls } from './upgradable-socket.ts';
export { XmppEndpoint } from './xmpp-endpoint.ts';
