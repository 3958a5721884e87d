export const SDP = { 'Content-Type': 'application/sdp' };
const MEDIA: Readonly<Record<string, string>> = {
  message: 'm=message 5060 sip null',
  msrp: 'm=message 2855 TCP/TLS/MSRP *',
  audio: 'm=audio 50000 RTP/SAVP 0',
  video: 'm=video 50002 RTP/SAVP 34',
  application: 'm=application 50004 TCP/RTP/SAVP 97',
};
/** A session description, of media by name and of lines as they are. */
export function session(...lines: string[]): string {
  const head = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
  return [...head, ...lines.map((line) => MEDIA[line] ?? line), ''].join('\r\n');
}
