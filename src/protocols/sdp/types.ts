/** `o=` (RFC 8866 §5.2). */
export interface SdpOrigin {
  /** `-` when the host has no notion of users. */
  readonly username: string;
  /** Decimal digits, as written; may exceed what a number holds. */
  readonly sessionId: string;
  /** Decimal digits; grows with every changed description of the session. */
  readonly sessionVersion: string;
  readonly address: SdpConnection;
}

/** `c=` (RFC 8866 §5.7), network type IN. */
export interface SdpConnection {
  readonly addressType: 'IP4' | 'IP6';
  /** An address or a host name, as written, a multicast TTL included. */
  readonly address: string;
}

/** `a=` (RFC 8866 §5.13). A property attribute has no value; an empty value is another thing. */
export interface SdpAttribute {
  readonly name: string;
  readonly value?: string;
}

/** An `m=` section (RFC 8866 §5.14). */
export interface SdpMedia {
  /** `audio`, `video`, `application` … */
  readonly kind: string;
  /** 0..65535; 0 refuses or ends the stream (RFC 3264 §6). */
  readonly port: number;
  /** The count behind the port, when written. */
  readonly portCount?: number;
  /** `RTP/AVP`, `RTP/SAVPF` … */
  readonly protocol: string;
  /** In order of preference; for RTP, payload types. At least one. */
  readonly formats: readonly string[];
  readonly connection?: SdpConnection;
  readonly attributes: readonly SdpAttribute[];
}

/** One description; lines of other types than v, o, s, c, t, m and a are read past and not kept. */
export interface SessionDescription {
  readonly origin: SdpOrigin;
  /** `s=`; a single space or `-` when there is none. */
  readonly name: string;
  readonly connection?: SdpConnection;
  /** Values of the `t=` lines, at least one; `0 0` is a session without end. */
  readonly times: readonly string[];
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly SdpMedia[];
}

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
