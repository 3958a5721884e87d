import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Credentials, canonicalHostName, type TrustAnchors } from '#platform/pki';

/** What a TLS server presents and whom it believes. */
export interface TlsIdentity {
  /** Presented when SNI is absent or names none of `named`. */
  readonly credentials: Credentials;
  /** Further identities by SNI name. */
  readonly named?: readonly { readonly name: string; readonly credentials: Credentials }[];
  /** Anchors for client certificates; needed unless `clientCertificate` is 'none'. */
  readonly trust?: TrustAnchors;
  /**
   * 48 octets that seal session tickets, so that a session resumes at every listener that has the same ones, for two hours
   * ({@link TicketKeys}). Left out: the listener has its own. Where clients are asked for certificates there are no tickets.
   */
  readonly ticketKey?: Buffer;
}

const SHARED = { minVersion: 'TLSv1.2', sessionIdContext: 'sallyport' } as const;

/** The TLS contexts of one generation of identities. */
export class ServerContexts {
  readonly standard: SecureContext;
  readonly trust: TrustAnchors | undefined;
  readonly #named = new Map<string, SecureContext>();

  /**
   * @param clientCertificates whether clients are asked for certificates: then the anchors' names are sent as a
   *   hint, and no session is ever resumed, since resumption would carry a peer past its verification.
   * @throws when the TLS library refuses a certificate or key
   */
  constructor(identity: TlsIdentity, clientCertificates: boolean) {
    const make = (credentials: Credentials) =>
      createSecureContext({
        ...SHARED,
        ...credentials.secureContextOptions(),
        ...(clientCertificates || identity.ticketKey === undefined ? {} : { ticketKeys: identity.ticketKey }),
        ca: clientCertificates && identity.trust !== undefined ? identity.trust.pem : [],
        secureOptions:
          constants.SSL_OP_NO_RENEGOTIATION | (clientCertificates ? constants.SSL_OP_NO_TICKET : 0),
      });
    this.standard = make(identity.credentials);
    this.trust = identity.trust;
    for (const { name, credentials } of identity.named ?? [])
      this.#named.set(canonicalHostName(name) ?? name, make(credentials));
  }
  get hasNames(): boolean {
    return this.#named.size > 0;
  }
  /** @param servername as the client sent it */
  select(servername: string): SecureContext {
    return this.#named.get(canonicalHostName(servername) ?? '') ?? this.standard;
  }
}

const clientContexts = new WeakMap<Credentials, SecureContext>();
let anonymousContext: SecureContext | undefined;

/**
 * A context for outbound connections. Its store is empty on purpose: the library's own verdict is never used, and
 * as long as it is negative the library leaves the peer's chain for us to read.
 */
export function clientContext(credentials: Credentials | undefined): SecureContext {
  if (credentials === undefined) {
    anonymousContext ??= createSecureContext({ ...SHARED, ca: [] });
    return anonymousContext;
  }
  let context = clientContexts.get(credentials);
  if (context === undefined) {
    context = createSecureContext({ ...SHARED, ca: [], ...credentials.secureContextOptions() });
    clientContexts.set(credentials, context);
  }
  return context;
}
