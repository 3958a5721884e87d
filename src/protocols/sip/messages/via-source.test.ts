import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageEdit } from './edit.ts';
import { splitValues } from './header-value.ts';
import { sipLimits } from './limits.ts';
import type { SipRequest } from './message.ts';
import { parseSipMessage } from './parse.ts';
import { parseVia, type Via } from './via.ts';
import { SourceStamp, stampedVia } from './via-source.ts';

describe('a Via is stamped alike, however it was read and whether or not its line is made anew', () => {
  const source = { address: '192.0.2.7', port: 40_000 };
  const stamp = new SourceStamp(source);
  for (const value of [
    'SIP/2.0/TLS h;rpor;rportx=1;RPORT;receivedx;x',
    'SIP/2.0/TLS h;branch=z9hG4bK1;rport, SIP/2.0/TLS g;rport;received=9',
    'SIP/2.0/TLS h;branch=z9hG4bK1 , SIP/2.0/TLS g;rport',
    'SIP / 2.0 / TLS h;branch=z9hG4bK1;rport',
    'SIP/2.0/TLS h ;branch = z9hG4bK1; rport',
    'SIP/2.0/TLS h;x=";rport";rport',
    'SIP/2.0/TLS h',
    'SIP/2.0/TLS h:5061;branch=z9hG4bK1;rport',
    'SIP/2.0/TLS h;rport;branch=z9hG4bK1',
    'SIP/2.0/TLS h;rportx;branch=z9hG4bK1;rport',
    'SIP/2.0/TLS h;branch=z9hG4bK1;rport=9',
    'SIP/2.0/TLS h;received=1.2.3.4;branch=z9hG4bK1;rport',
    'SIP/2.0/TLS h;received;branch=z9hG4bK1',
    'SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1',
    'SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1;received=192.0.2.7',
    'SIP/2.0/WSS [2001:db8::1]:5061;branch=z9hG4bK1',
  ]) {
    test(value, () => {
      const stamped = stampedVia(read(splitValues(value)[0]!), source);
      const request = requestWith(value);
      assert.equal(stampedVia(request.topVia, source), stamped);
      const edit = new MessageEdit(request);
      stamp.write(edit, request);
      const written = parseSipMessage(edit.toBytes(), sipLimits);
      assert.ok(written.ok);
      const expected = [stamped ?? splitValues(value)[0]!, ...splitValues(value).slice(1)];
      const asSet = (via: string) => {
        const { parameters, ...rest } = read(via);
        return { ...rest, parameters: new Map(parameters) };
      };
      assert.deepEqual(written.value.values('Via').map(asSet), expected.map(asSet));
    });
  }
});

function read(value: string): Via {
  const via = parseVia(value);
  assert.ok(via.ok, value);
  return via.value;
}
function requestWith(via: string): SipRequest {
  const lines = ['OPTIONS sip:a@b SIP/2.0', `Via: ${via}`, 'From: <sip:c@d>;tag=1', 'To: <sip:a@b>'];
  const bytes = Buffer.from(
    [...lines, 'Call-ID: 1', 'CSeq: 1 OPTIONS', 'Content-Length: 0', '', ''].join('\r\n'),
  );
  const parsed = parseSipMessage(bytes, sipLimits);
  assert.ok(parsed.ok && parsed.value.kind === 'request', via);
  return parsed.value;
}
