import type { SdpAttribute, SdpConnection, SessionDescription } from './types.ts';

/**
 * Writes a description with CRLF line ends in the order of RFC 8866 §5. Throws when a value holds a line end.
 */
export function formatSdp(description: SessionDescription): Buffer {
  const { origin, name, connection, times, attributes, media } = description;
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${formatConnection(origin.address)}`,
    `s=${name}`,
  ];
  if (connection !== undefined) lines.push(`c=${formatConnection(connection)}`);
  for (const time of times) lines.push(`t=${time}`);
  for (const attribute of attributes) lines.push(formatAttribute(attribute));
  for (const section of media) {
    const port = section.portCount === undefined ? `${section.port}` : `${section.port}/${section.portCount}`;
    lines.push(`m=${section.kind} ${port} ${section.protocol} ${section.formats.join(' ')}`);
    if (section.connection !== undefined) lines.push(`c=${formatConnection(section.connection)}`);
    for (const attribute of section.attributes) lines.push(formatAttribute(attribute));
  }
  if (lines.some((line) => /[\r\n\0]/.test(line)))
    throw new TypeError('a value of the description holds a line end');
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}

function formatConnection(connection: SdpConnection): string {
  return `IN ${connection.addressType} ${connection.address}`;
}

function formatAttribute(attribute: SdpAttribute): string {
  return attribute.value === undefined ? `a=${attribute.name}` : `a=${attribute.name}:${attribute.value}`;
}
