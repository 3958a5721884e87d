import { ByteReader, type ByteWriter } from '../framing/bytes.ts';
import type { ParameterType, ValueOf } from './interface.ts';

export type ParameterValue = ValueOf[ParameterType];

/** @throws RangeError or TypeError when the values do not fit the types: a bug of ours */
export function writeParameters(
  writer: ByteWriter,
  types: readonly ParameterType[],
  values: readonly ParameterValue[],
): void {
  if (types.length !== values.length) throw new TypeError(`${values.length} values for ${types.length}`);
  for (const [index, type] of types.entries()) writeOne(writer, type, values[index] as ParameterValue);
}

function writeOne(writer: ByteWriter, type: ParameterType, value: ParameterValue): void {
  switch (type) {
    case 'Boolean':
      return writer.boolean(value as boolean);
    case 'Int32':
      return writer.int32(value as number);
    case 'Int64':
      return writer.int64(value as number);
    case 'String':
      return writer.string(value as string);
    case 'Byte[]':
      return writer.bytes(value as Uint8Array);
    case 'Int32[]':
      return writer.list(value as readonly number[], (one) => writer.int32(one));
    case 'String[]':
      return writer.list(value as readonly string[], (one) => writer.string(one));
    case 'DistributedObject':
      return writer.uint32(value as number);
  }
}

/** The values, if `bytes` hold exactly these types and nothing else. */
export function readParameters(
  bytes: Uint8Array,
  types: readonly ParameterType[],
): readonly ParameterValue[] | undefined {
  const reader = new ByteReader(bytes);
  const values = types.map((type) => readOne(reader, type));
  return reader.complete ? values : undefined;
}

function readOne(reader: ByteReader, type: ParameterType): ParameterValue {
  switch (type) {
    case 'Boolean':
      return reader.boolean();
    case 'Int32':
      return reader.int32();
    case 'Int64':
      return reader.int64();
    case 'String':
      return reader.string();
    case 'Byte[]':
      return reader.bytes();
    case 'Int32[]':
      return reader.list(4, () => reader.int32());
    case 'String[]':
      return reader.list(2, () => reader.string());
    case 'DistributedObject':
      return reader.uint32();
  }
}

/**
 * What people may read of parameters, as many as `bytes` hold whole: octets by their number only, texts and lists up to so many
 * characters.
 */
export function parameterTexts(
  bytes: Uint8Array,
  types: readonly ParameterType[],
  mostCharacters: number,
): readonly string[] {
  const reader = new ByteReader(bytes);
  const texts: string[] = [];
  for (const type of types) {
    const value = readOne(reader, type);
    if (reader.failed) break;
    const text = value instanceof Uint8Array ? `[${value.length} octets]` : JSON.stringify(value);
    texts.push(text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text);
  }
  return texts;
}
