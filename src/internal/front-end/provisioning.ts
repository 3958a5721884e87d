/*
 * What a client is told at sign-in, in the form of the original's in-band provisioning: the body of the 200 to a
 * SUBSCRIBE for `vnd-microsoft-provisioning-v2`. Today one fact: where relay credentials are asked for.
 */

export const provisioningEvent = 'vnd-microsoft-provisioning-v2';
export const provisioningType = 'application/vnd-microsoft-roaming-provisioning-v2+xml';

/** The address of an edge's A/V Authentication service, in the original's form of a service GRUU. */
export function mrasUri(edge: string, domain: string): string {
  return `sip:${edge}@${domain};gruu;opaque=srvr:MRAS:${edge}`;
}

/** The edge that an MRAS address names, or undefined when the URI is no MRAS address of `domain`. */
export function edgeOfMrasUri(uri: string): { edge: string; domain: string } | undefined {
  const match = /^sips?:([^@;]+)@([^;?>]+);(?:[^?]*;)?opaque=srvr:MRAS:([^;?]+)/i.exec(uri);
  if (match === null || !/;gruu(?:;|$)/i.test(uri)) return undefined;
  return { edge: (match[1] ?? '').toLowerCase(), domain: (match[2] ?? '').toLowerCase() };
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
