import type { TestContext } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { AccessLab } from './lab.ts';
import { request } from './messages.ts';
import { dialogResponse } from './plays.ts';
import type { SipPeer } from './sip-peer.ts';

type Guests = EdgeDocument['policy']['remoteAccess']['guests'];
export const FOCUS = 'sip:alice@example.com;gruu;opaque=app:conf:focus:id:ABC';
export const CHAT = 'sip:alice@example.com;gruu;opaque=app:conf:chat:id:ABC';
export const OTHER = 'sip:alice@example.com;gruu;opaque=app:conf:focus:id:XYZ';
export const MRAS = 'sip:edge@example.com;gruu;opaque=srvr:MRAS:1';
/** Of every guest here. */
export const From = '"Guest" <sip:guest1@anonymous.invalid>;tag=g1';

/** An edge that lets guests in. */
export async function startWithGuests(t: TestContext, guests: Partial<Guests> = {}) {
  const change = ({ policy }: EdgeDocument) =>
    Object.assign(policy.remoteAccess.guests, { allowed: true, ...guests });
  const lab = await AccessLab.start(t, { change });
  return { lab, fe: await lab.frontEnds[0].connection() };
}

let branches = 0;
/** A request of somebody without an account. */
export function guestSays(method: string, uri: string, fields: Record<string, string> = {}): Buffer {
  branches += 1;
  return request(method, uri, {
    Via: `SIP/2.0/TLS h;branch=z9hG4bKguest${branches}`,
    From,
    To: `<${uri}>`,
    'Call-ID': `guest${branches}`,
    ...fields,
  });
}

/** A guest whom the conference has let in; the Call-ID of the call. */
export async function joins(client: SipPeer, fe: SipPeer, uri = FOCUS): Promise<string> {
  client.sends(guestSays('INVITE', uri, { Contact: '<sip:guest1@192.168.1.5>' }));
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(dialogResponse(invite, 200, { tag: 'focus', Contact: `<${FOCUS}>` }));
  const accepted = await client.receives(200);
  client.sends(inDialog('ACK', accepted.callId));
  await fe.receivesRequest('ACK');
  return accepted.callId;
}
export function inDialog(method: string, callId: string, fields: Record<string, string> = {}): Buffer {
  return guestSays(method, FOCUS, { To: `<${FOCUS}>;tag=focus`, 'Call-ID': callId, ...fields });
}
