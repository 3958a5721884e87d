import { hash } from 'node:crypto';

/*
 * What a client is told at sign-in, in the form of the original's in-band provisioning: the body of the 200 to a
 * SUBSCRIBE for `vnd-microsoft-provisioning-v2`. Today one fact: where relay credentials are asked for.
 */

export const provisioningEvent = 'vnd-microsoft-provisioning-v2';
export const provisioningType = 'application/vnd-microsoft-roaming-provisioning-v2+xml';

const ID_LENGTH = 16;

/** What stands for an edge in MRAS addresses, which go outside: internal names do not. */
export function mrasId(edge: string): string {
  return hash('sha256', `mras ${edge}`, 'hex').slice(0, ID_LENGTH);
}

/** The address of an edge's A/V Authentication service, in the original's form of a service GRUU. */
export function mrasUri(edge: string, domain: string): string {
  const id = mrasId(edge);
  return `sip:mras-${id}@${domain};gruu;opaque=srvr:MRAS:${id}`;
}

/** The id and domain in an MRAS address, or undefined when the URI is none. */
export function parseMrasUri(uri: string): { id: string; domain: string } | undefined {
  const match = /^sips?:[^@;]+@([^;?>]+);(?:[^?]*;)?opaque=srvr:MRAS:([0-9a-f]{16})(?:;|$)/i.exec(uri);
  if (match === null || !/;gruu(?:;|$)/i.test(uri)) return undefined;
  return { domain: (match[1] ?? '').toLowerCase(), id: (match[2] ?? '').toLowerCase() };
}

/** The provisioning document; `uri` absent when no edge offers relay credentials. */
export function provisioningDocument(uri: string | undefined): Buffer {
  const entry = uri === undefined ? '' : `<mrasUri>${escapeXml(uri)}</mrasUri>`;
  return Buffer.from(
    '<?xml version="1.0"?><provisionGroupList xmlns="http://schemas.microsoft.com/2006/09/sip/provisiongrouplist">' +
      `<provisionGroup name="ServerConfiguration">${entry}</provisionGroup></provisionGroupList>`,
  );
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
