import type { SipRequest } from '#protocols/sip';
import { request } from './messages.ts';
import type { SipPeer } from './sip-peer.ts';

/** What no client may ever be shown. */
export const INSIDE = /corp\.example|127\.0\.9\.(20|31|32)|127\.0\.10\.|10\.45\./i;
export const CHALLENGE = 'Digest realm="example.com", nonce="n1", algorithm=SHA-256, qop="auth"';

export function contactOf(user: string): string {
  return `sip:${user}-0x1@192.168.1.5:40001;transport=tls`;
}

/** A client signs in; the front end accepts it. Gives the Path that it keeps for the client. */
export async function signIn(
  client: SipPeer,
  fe: SipPeer,
  user: string,
  cseq = 1,
  domain = 'example.com',
): Promise<string> {
  const contact = contactOf(user);
  const address = `<sip:${user}@${domain}>`;
  client.sends(
    request('REGISTER', `sip:${domain}`, {
      Via: `SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bKreg${user}${cseq};rport`,
      From: `${address};tag=r`,
      To: address,
      'Call-ID': `reg-${user}`,
      CSeq: `${cseq} REGISTER`,
      Contact: `<${contact}>;reg-id=1;+sip.instance="<urn:uuid:${user}>"`,
      Supported: 'path, outbound',
    }),
  );
  const register = await fe.receivesRequest('REGISTER');
  fe.answers(register, 200, {
    headers: [
      ['Contact', `<${contact}>;expires=300, <sip:${user}@10.45.1.7:5061>;expires=60`],
      ['Path', register.values('Path').join(', ')],
      ['Supported', 'path, outbound'],
    ],
  });
  await client.receives(200);
  return register.values('Path').join(', ');
}

let attempts = 0;
/** A REGISTER of `user` with credentials, each a new one. */
export function registerWithCredentials(user: string): Buffer {
  attempts += 1;
  const address = `<sip:${user}@example.com>`;
  return request('REGISTER', 'sip:example.com', {
    Via: `SIP/2.0/TLS 192.168.1.5;branch=z9hG4bKc${attempts}`,
    From: `${address};tag=r`,
    To: address,
    'Call-ID': `c${attempts}`,
    CSeq: `${attempts} REGISTER`,
    Contact: `<sip:${user}@192.168.1.5>`,
    Authorization: `Digest username="${user}", realm="example.com", nonce="n", uri="sip:example.com", response="00"`,
  });
}

/** The front end passes a request on to a client, as a proxy does. */
export function passOn(received: SipRequest, uri: string, path: string): Buffer {
  const fields: Record<string, string | string[]> = {
    Via: ['SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKfe1', ...received.values('Via')],
    Route: path,
  };
  for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Content-Type']) {
    const value = received.header(name);
    if (value !== undefined) fields[name] = value;
  }
  return request(received.method, uri, fields, received.body.toString());
}

/** RFC 3261 §16.7 step 3, at the front end: its own Via goes, the rest of the response stays. */
export function passBack(text: string): Buffer {
  const withoutOurs = text.replace(/^Via: SIP\/2\.0\/TLS fe1[^\r\n,]*(,\s*|\r\n)/im, (_, end: string) => {
    return end.startsWith(',') ? 'Via: ' : '';
  });
  return Buffer.from(withoutOurs);
}

/** A response whose Record-Route is the callee's view of the request. */
export function dialogResponse(
  invite: SipRequest,
  status: number,
  fields: Readonly<Record<string, string>> & { readonly tag: string },
): Buffer {
  const { tag, ...headers } = fields;
  return Buffer.from(
    [
      `SIP/2.0 ${status} Whatever`,
      ...invite.values('Via').map((via) => `Via: ${via}`),
      `From: ${invite.header('From')}`,
      `To: ${invite.header('To')};tag=${tag}`,
      `Call-ID: ${invite.callId}`,
      `CSeq: ${invite.header('CSeq')}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
}
