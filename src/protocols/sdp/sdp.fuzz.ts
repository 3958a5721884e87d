import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { answerAudio, audioOffer, readAudio } from './audio.ts';
import { parseSdp, sdpLimits } from './reader.ts';
import { formatSdp } from './writer.ts';

const local = { address: '192.0.2.1', port: 4000, sessionId: '1', sessionVersion: 1 };

/** What is read is bounded, can be written, and reads the same again; so does the answer to it. */
function run(input: Uint8Array): void {
  const parsed = parseSdp(input);
  if (!parsed.ok) return;
  const { media } = parsed.value;
  assert(media.length <= sdpLimits.media && media.every((each) => each.formats.length <= sdpLimits.formats));
  assert.deepEqual(parseSdp(formatSdp(parsed.value)), parsed);
  readAudio(parsed.value);
  const answer = answerAudio(parsed.value, local);
  if (!answer.ok) return;
  assert.equal(answer.value.answer.media.length, media.length);
  const again = parseSdp(formatSdp(answer.value.answer));
  assert.deepEqual(again, { ok: true, value: answer.value.answer });
}

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n';

export const targets: readonly FuzzTarget[] = [
  {
    name: 'sdp',
    seeds: [
      formatSdp(audioOffer(local)),
      Buffer.from(
        `${HEAD}c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5/2 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n`,
      ),
      Buffer.from(
        `${HEAD}t=0 0\r\na=sendonly\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:96 VP8/90000\r\n`,
      ),
      Buffer.from(
        `${HEAD}i=x\r\nc=IN IP6 ::1\r\nb=AS:1\r\nt=1 2\r\nr=1 2 3\r\nt=3 4\r\nk=prompt\r\nm=audio 9 RTP/AVP 97\r\na=rtpmap:97 PCMU/8000/1\r\n`,
      ),
    ],
    run,
  },
];
