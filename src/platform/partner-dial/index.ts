export { type AddressGuardDocument, addressGuard } from './address-guard.ts';
export { isCertificateFailure, type ReachAttempt, type Reached, type ReachOptions, reach } from './reach.ts';
export { type ReachTlsOptions, reachTls } from './reach-tls.ts';
