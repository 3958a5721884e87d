import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MsFrameType, pseudoClientHello } from '#protocols/stun';
import { MsStream } from './ms-stream.ts';

const hello = pseudoClientHello(Buffer.alloc(32, 5));
const frame = (content: Buffer) =>
  Buffer.concat([Buffer.of(2, 0, content.length >> 8, content.length & 0xff), content]);

function stream(withHello: boolean) {
  const seen: string[] = [];
  let greeted = 0;
  const dialect = new MsStream(
    (type, content) => {
      assert.equal(type, MsFrameType.Control);
      seen.push(Buffer.from(content).toString());
      return true;
    },
    withHello
      ? () => {
          greeted += 1;
        }
      : undefined,
  );
  return { dialect, seen, greeted: () => greeted };
}

test('the hello may come octet by octet, is answered once, and frames follow', () => {
  const { dialect, seen, greeted } = stream(true);
  for (const [at, octet] of hello.entries()) {
    assert.equal(greeted(), 0, `octet ${at}`);
    assert.ok(dialect.isPartial);
    assert.ok(dialect.receive(Buffer.of(octet)));
  }
  assert.equal(greeted(), 1);
  assert.ok(dialect.receive(frame(Buffer.from('x'))));
  assert.deepEqual(seen, ['x']);
});

test('a hello that is another one, or that does not wait for its answer, ends it', () => {
  const other = Buffer.from(hello);
  other[47] = 0x2f;
  assert.equal(stream(true).dialect.receive(other), false);
  assert.equal(stream(true).dialect.receive(Buffer.concat([hello, frame(Buffer.from('x'))])), false);
});

test('without a hello, frames at once', () => {
  const { dialect, seen } = stream(false);
  assert.ok(dialect.receive(Buffer.concat([frame(Buffer.from('a')), frame(Buffer.from('b'))])));
  assert.deepEqual(seen, ['a', 'b']);
});

test('before the allocation no long frame is collected, after it any', () => {
  const { dialect } = stream(false);
  assert.equal(dialect.receive(Buffer.concat([Buffer.of(2, 0, 0xff, 0xff), Buffer.alloc(3_000)])), false);
  const proven = stream(false).dialect;
  proven.allocationOpened();
  assert.ok(proven.receive(Buffer.concat([Buffer.of(2, 0, 0xff, 0xff), Buffer.alloc(3_000)])));
});
