import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asRequest, request } from '../../testing/messages.ts';
import { SDP, session } from '../testing/sessions.ts';
import { isAllowedContent } from './provider-content.ts';

type Fields = Readonly<Record<string, string>>;
function passes(method: string, fields: Fields, body: string | Buffer, calls = false): boolean {
  const bytes = request(method, 'sip:alice@example.com', fields, '');
  const end = bytes.length - 'Content-Length: 0\r\n\r\n'.length;
  const head = `${bytes.toString('latin1', 0, end)}Content-Length: ${body.length}\r\n\r\n`;
  return isAllowedContent(asRequest(Buffer.concat([Buffer.from(head), Buffer.from(body)])), method, calls);
}
const typed = (type: string): Fields => ({ 'Content-Type': type });
const FILE = 'a=file-selector:name:"plan.pdf" type:application/pdf size:4092';
const IM = session('message');

test('what is known to be a message, typing, presence or a session of messages passes', () => {
  const good: [string, Fields, string][] = [
    ['INVITE', SDP, IM],
    ['INVITE', typed('Application/SDP; charset=utf-8'), IM],
    ['INVITE', SDP, session('msrp', 'a=accept-types:text/plain')],
    ['INVITE', { ...SDP, 'Content-Disposition': 'session;handling=required' }, IM],
    ['INVITE', { ...SDP, 'Content-Encoding': 'identity' }, IM],
    ['INVITE', SDP, IM.replaceAll('\r\n', '\n')],
    ['ACK', SDP, IM],
    ['MESSAGE', typed('text/plain; charset=UTF-8;msgr=WAAt'), 'hello'],
    ['MESSAGE', typed('text/html'), '<b>hello</b>'],
    ['MESSAGE', typed('application/im-iscomposing+xml'), '<isComposing/>'],
    ['MESSAGE', { ...typed('message/imdn+xml'), 'Content-Disposition': 'notification' }, '<imdn/>'],
    [
      'INFO',
      typed('application/xml'),
      '<?xml version="1.0"?>\r\n<KeyboardActivity>\r\n <status status="type" />\r\n</KeyboardActivity>',
    ],
    ['NOTIFY', typed('application/pidf+xml'), '<presence/>'],
    ['BYE', {}, ''],
    ['INVITE', SDP, ''],
  ];
  for (const [method, fields, body] of good)
    assert.ok(passes(method, fields, body), `${method} ${JSON.stringify(fields)} ${body}`);
});

test('S5: what cannot be told for sure, or can be read in two ways, does not pass', () => {
  const AUDIO = session('audio');
  const bad: [string, Fields, string | Buffer][] = [
    // Without a type, with one that nobody listed, and with parts.
    ['INVITE', {}, IM],
    ['INVITE', typed(''), IM],
    ['INVITE', typed('application/octet-stream'), IM],
    ['INVITE', typed('application/sdp, text/plain'), IM],
    ['INVITE', typed('application/sdp (a comment)'), IM],
    ['INVITE', typed('application/sdp-x'), IM],
    ['INVITE', typed('text/plain'), IM],
    ['INVITE', typed('multipart/alternative;boundary=x'), `--x\r\n\r\n${IM}\r\n--x--`],
    ['MESSAGE', typed('multipart/mixed;boundary=x'), '--x\r\n\r\nhello\r\n--x--'],
    ['MESSAGE', typed('text/x-msmsgsinvite'), 'Application-Name: File Transfer'],
    ['MESSAGE', typed('message/cpim'), 'Content-Type: application/pdf'],
    ['MESSAGE', typed('message/external-body;access-type=URL'), 'x'],
    ['MESSAGE', SDP, IM],
    ['MESSAGE', {}, 'hello'],
    ['MESSAGE', { ...typed('text/plain'), 'Content-Disposition': 'attachment; filename=x' }, 'hello'],
    ['INFO', typed('application/xml'), '<methodCall/>'],
    ['INFO', typed('application/xml'), `<KeyboardActivity>${' '.repeat(1024)}</KeyboardActivity>`],
    ['INFO', typed('application/csta+xml'), '<MakeCall/>'],
    ['NOTIFY', typed('multipart/related'), 'x'],
    ['BYE', typed('text/plain'), 'x'],
    // Encoded.
    ['INVITE', { ...SDP, 'Content-Encoding': 'gzip' }, Buffer.from('1f8b08000000', 'hex')],
    ['INVITE', { ...SDP, 'Content-Encoding': 'gzip' }, IM],
    ['INVITE', { ...SDP, e: 'identity, deflate' }, IM],
    ['MESSAGE', { ...typed('text/plain'), 'content-encoding': 'GZIP' }, 'x'],
    ['INVITE', { ...SDP, 'Content-Transfer-Encoding': 'base64' }, IM],
    ['INVITE', typed('application/sdp;charset=utf-16'), Buffer.from(IM, 'utf16le')],
    // A media line that is there for some readers only.
    ['INVITE', SDP, IM.replaceAll('\r\n', '\r')],
    ['INVITE', SDP, `${IM.trimEnd()}\rm=audio 50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM}m =audio 50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM} m=audio 50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM}M=audio 50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM}m= audio 50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM}m=audio\t50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM}\0m=audio 50000 RTP/SAVP 0\r\n`],
    ['INVITE', SDP, `${IM}\r\n${AUDIO}`],
    ['INVITE', SDP, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(IM)])],
    ['INVITE', SDP, Buffer.concat([Buffer.from(IM), Buffer.from([0x6d, 0xff])])],
    // Something else than messages, or nothing.
    ['INVITE', SDP, AUDIO],
    ['INVITE', SDP, session('message', 'audio')],
    ['INVITE', SDP, session('m=message 5060 RTP/AVP 0')],
    ['INVITE', SDP, session()],
    ['UPDATE', SDP, AUDIO],
    ['PRACK', SDP, AUDIO],
    ['ACK', SDP, AUDIO],
    ['OPTIONS', SDP, AUDIO],
    // Files (RFC 5547).
    ['INVITE', SDP, session('msrp', FILE)],
    ['INVITE', SDP, session(FILE, 'msrp')],
    ['INVITE', SDP, session('msrp', 'a=File-Transfer-ID:Q6LMoGymJdh0IKIgD6wD0jkcfgva4xvE')],
  ];
  for (const [method, fields, body] of bad)
    assert.ok(!passes(method, fields, body), `${method} ${JSON.stringify(fields)} ${body}`);
});

test('with calls: audio and video over RTP pass too, and what belongs to them; nothing else does', () => {
  const passesInCalls = (method: string, fields: Fields, body: string) => passes(method, fields, body, true);
  assert.ok(passesInCalls('INVITE', SDP, session('audio', 'video', 'message')));
  assert.ok(passesInCalls('INVITE', SDP, session('m=audio 9 UDP/TLS/RTP/SAVPF 111')));
  assert.ok(passesInCalls('INFO', typed('application/media_control+xml'), '<media_control/>'));
  assert.ok(!passes('INFO', typed('application/media_control+xml'), '<media_control/>'));
  for (const lines of [
    ['audio', 'application'],
    ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel'],
    ['m=audio 2855 TCP/MSRP *'],
    ['m=image 9 udptl t38'],
    ['audio', 'msrp', FILE],
  ]) {
    assert.ok(!passesInCalls('INVITE', SDP, session(...lines)), lines.join());
  }
});
