export interface Picture {
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp';
  /** Pixels, as the file claims. */
  readonly width: number;
  readonly height: number;
}

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** What picture a file is by its first bytes, whatever its name; undefined for everything else. */
export function pictureOf(head: Buffer): Picture | undefined {
  if (head.subarray(0, PNG.length).equals(PNG)) return png(head);
  if (head.length > 3 && head.readUIntBE(0, 3) === 0xff_d8_ff) return jpeg(head);
  const isWebp = head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP';
  return isWebp ? webp(head) : undefined;
}

/** Media type by the first bytes. What is neither picture nor PDF is nothing that anybody should open by itself. */
export function mediaTypeOf(head: Buffer): string {
  return (
    pictureOf(head)?.type ??
    (head.toString('latin1', 0, 5) === '%PDF-' ? 'application/pdf' : 'application/octet-stream')
  );
}

function png(head: Buffer): Picture | undefined {
  if (head.length < 24 || head.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  return { type: 'image/png', width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

/** The first frame header; other segments are passed over by their lengths. */
function jpeg(head: Buffer): Picture | undefined {
  for (let at = 2; at + 9 <= head.length; ) {
    if (head[at] !== 0xff) return undefined;
    const marker = head[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return { type: 'image/jpeg', height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    const length = head.readUInt16BE(at + 2);
    if (length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

function webp(head: Buffer): Picture | undefined {
  if (head.length < 30) return undefined;
  const kind = head.toString('latin1', 12, 16);
  const type = 'image/webp';
  if (kind === 'VP8X') return { type, width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
  if (kind === 'VP8L' && head[20] === 0x2f) {
    const bits = head.readUInt32LE(21);
    return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (kind === 'VP8 ' && head.readUIntBE(23, 3) === 0x9d_01_2a)
    return { type, width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
  return undefined;
}
