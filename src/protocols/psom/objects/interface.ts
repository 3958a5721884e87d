/** What a parameter of a method can be ([MS-PSOM] as far as it is published). */
export type ParameterType =
  | 'Boolean'
  | 'Int32'
  | 'Int64'
  | 'String'
  | 'Byte[]'
  | 'Int32[]'
  | 'String[]'
  | 'DistributedObject';

/** A parameter in TypeScript. An Int64 lies within ±(2^53 - 1); a DistributedObject is its proxy identifier. */
export interface ValueOf {
  readonly Boolean: boolean;
  readonly Int32: number;
  readonly Int64: number;
  readonly String: string;
  readonly 'Byte[]': Uint8Array;
  readonly 'Int32[]': readonly number[];
  readonly 'String[]': readonly string[];
  readonly DistributedObject: number;
}

/** A parameter as it is declared: its type and its name, `Int32 cookie`. */
export type Parameter = `${ParameterType} ${string}`;

/** Methods of one side by name; the number of a method is its place in this order. */
export type Methods = Readonly<Record<string, readonly Parameter[]>>;

export type Arguments<P extends readonly Parameter[]> = {
  readonly [index in keyof P]: P[index] extends `${infer T extends ParameterType} ${string}`
    ? ValueOf[T]
    : never;
};

/** Both sides of a distributed object, declared once. */
export interface DistributedInterface<S extends Methods = Methods, C extends Methods = Methods> {
  readonly name: string;
  readonly version: number;
  /** Methods that run on the server; their names begin with s. */
  readonly server: S;
  /** Methods that run on the client; their names begin with c. */
  readonly client: C;
  /** Of the exact methods: two sides that differ in one of them do not connect. */
  readonly serverHash: bigint;
  readonly clientHash: bigint;
  /** The same methods as operations name them. */
  readonly numbered: { readonly server: NumberedMethods; readonly client: NumberedMethods };
}

/** Methods of one side by number and by name. */
export interface NumberedMethods {
  readonly byNumber: readonly NumberedMethod[];
  readonly byName: ReadonlyMap<string, NumberedMethod>;
}
export interface NumberedMethod {
  readonly name: string;
  readonly number: number;
  readonly types: readonly ParameterType[];
  readonly parameters: readonly Parameter[];
}

/** Calls methods of the other side; false when the object is gone. */
export type Stub<M extends Methods> = {
  readonly [name in keyof M]: (...parameters: Arguments<M[name]>) => boolean;
};

/** Is called by the other side. */
export type Handlers<M extends Methods> = {
  readonly [name in keyof M]: (...parameters: Arguments<M[name]>) => void;
};

export function declareInterface<const S extends Methods, const C extends Methods>(declared: {
  readonly name: string;
  readonly version: number;
  readonly server: S;
  readonly client: C;
}): DistributedInterface<S, C> {
  for (const [side, prefix] of [
    ['server', 's'],
    ['client', 'c'],
  ] as const) {
    const stray = Object.keys(declared[side]).find((name) => !new RegExp(`^${prefix}[A-Z]`).test(name));
    if (stray !== undefined) throw new Error(`${declared.name}: ${stray} is no name of a ${side} method`);
  }
  return {
    ...declared,
    serverHash: hashOf(declared.server),
    clientHash: hashOf(declared.client),
    numbered: { server: numbered(declared.server), client: numbered(declared.client) },
  };
}

function numbered(methods: Methods): NumberedMethods {
  const byNumber = Object.entries(methods).map(([name, parameters], number) => {
    return { name, number, parameters, types: typesOf(parameters) };
  });
  return { byNumber, byName: new Map(byNumber.map((method) => [method.name, method])) };
}

function typesOf(parameters: readonly Parameter[]): ParameterType[] {
  return parameters.map((parameter) => parameter.slice(0, parameter.indexOf(' ')) as ParameterType);
}

/** FNV-1a of 64 bits over `name(type,type)\n` for each method, in order: no secret, just two declarations told apart. */
function hashOf(methods: Methods): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const [name, parameters] of Object.entries(methods)) {
    for (const character of `${name}(${typesOf(parameters).join()})\n`) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(character.charCodeAt(0))) * 0x0000_0100_0000_01b3n);
    }
  }
  return hash;
}
