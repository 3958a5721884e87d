/** What one SIP message may cost. Every parser of this room takes these as an argument. */
export interface SipLimits {
  /** Octets of one whole message, start line and body included. */
  readonly messageBytes: number;
  /** Octets of the start line or of one header field, folded lines and line ends included. */
  readonly headerLineBytes: number;
  /** Header field lines of one message. */
  readonly headers: number;
  /** Milliseconds from the first octet of a message to its last one, on a stream. */
  readonly messageMs: number;
}

export const sipLimits: SipLimits = {
  messageBytes: 65536,
  headerLineBytes: 8192,
  headers: 200,
  messageMs: 30000,
};
