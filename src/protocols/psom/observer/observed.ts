import { ByteReader, ByteWriter } from '../framing/bytes.ts';

/** An operation as it travels from the edge that saw it to whoever keeps events. */
export interface Observed {
  readonly conference: string;
  /** Number of the participant in it. */
  readonly participant: number;
  readonly object: string;
  readonly interface: string;
  readonly method: string;
  /** Of the frame, from its length on; as much of it as there is. */
  readonly frame: Uint8Array;
}

export function encodeObserved(observed: Observed): Uint8Array {
  const writer = new ByteWriter();
  writer.string(observed.conference);
  writer.int64(observed.participant);
  writer.string(observed.object);
  writer.string(observed.interface);
  writer.string(observed.method);
  writer.bytes(observed.frame);
  return writer.view();
}

/** Undefined for anything that `encodeObserved` would not write. */
export function decodeObserved(bytes: Uint8Array): Observed | undefined {
  const reader = new ByteReader(bytes);
  const observed = {
    conference: reader.string(),
    participant: reader.int64(),
    object: reader.string(),
    interface: reader.string(),
    method: reader.string(),
    frame: reader.bytes(),
  };
  return reader.complete ? observed : undefined;
}
