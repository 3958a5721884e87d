import { z } from 'zod';
import { addressRange, canonicalAddress, canonicalNetwork } from '../address.ts';
import { quote } from '../finding.ts';

/** Whether a running program takes the change (`live`) or has to be started again (`restart`). */
export type Reload = 'live' | 'restart';
/** What a file named by a setting has to hold. */
export type FileContent = 'certificates' | 'private-key' | 'media-key' | 'shared-secret';

export type SettingValue = string | number | boolean | readonly string[];

/** Everything about a setting that is not its type. One declaration feeds loader, checks and reference. */
export interface SettingNotes {
  readonly sentence: string;
  readonly reload: Reload;
  /** The type in words, with its range: "a whole number from 1 to 65535". */
  readonly expects: string;
  /** What the commented example writes. */
  readonly example: SettingValue;
  readonly default?: SettingValue;
  /** Where the default comes from when it is taken from other settings; then `default` is absent. */
  readonly defaultFrom?: string;
  readonly optional?: true;
  readonly unit?: string;
  readonly floor?: number;
  readonly ceiling?: number;
  readonly rows?: readonly string[];
  /** Most items of a list, when fewer than {@link MOST_ITEMS}. */
  readonly mostItems?: number;
  /** The only value there is. */
  readonly constant?: number;
  /** A path, relative to the document's folder. */
  readonly path?: true;
  /** What the file at that path has to hold; it must exist. */
  readonly file?: FileContent;
}

/** A section or a list of sections. */
interface SectionNotes {
  readonly sentence: string;
}

export const settingNotes: z.core.$ZodRegistry<SettingNotes> = z.registry<SettingNotes>();
export const sectionNotes: z.core.$ZodRegistry<SectionNotes> = z.registry<SectionNotes>();

/** What callers write about a setting; the rest follows from its kind. */
interface Described {
  readonly sentence: string;
  readonly reload: Reload;
  readonly example: SettingValue;
}
type OptionalNotes = Partial<Omit<SettingNotes, keyof Described | 'expects'>>;

/** The outcome of a text check: the canonical value, or the complaint. */
export type TextCheck<T> = (text: string) => { value: T } | { rule: string; what: string; instead: string };

function checked<T>(check: TextCheck<T>) {
  return z.string().transform((text, context): T => {
    const outcome = check(text);
    if ('value' in outcome) return outcome.value;
    const { rule, what: message, instead } = outcome;
    context.addIssue({ code: 'custom', message, params: { rule, instead } });
    return z.NEVER;
  });
}

function annotate<S extends z.ZodType>(schema: S, notes: SettingNotes): S {
  settingNotes.add(schema, notes);
  return schema;
}

/** A text setting that must be written. */
export function text<T>(expects: string, check: TextCheck<T>, notes: Described & OptionalNotes) {
  return annotate(checked(check), { ...notes, expects });
}

/** A text setting that may be left out and then is absent. */
export function optionalText<T>(expects: string, check: TextCheck<T>, notes: Described & OptionalNotes) {
  return annotate(checked(check).optional(), { ...notes, expects, optional: true });
}

/** A text setting with a default. */
export function textOr(
  initial: string,
  expects: string,
  check: TextCheck<string>,
  notes: Described & OptionalNotes,
) {
  return annotate(checked(check).default(initial), { ...notes, expects, default: initial });
}

/** A text setting whose default is taken from other settings (the empty text until then). */
export function derivedText(
  defaultFrom: string,
  expects: string,
  check: TextCheck<string>,
  notes: Described & OptionalNotes,
) {
  return annotate(checked(check).default(''), { ...notes, expects, defaultFrom });
}

/** A list of at least one text. */
export function texts(expects: string, check: TextCheck<string>, notes: Described & OptionalNotes) {
  return annotate(z.array(checked(check)).min(1).max(MOST_ITEMS), { ...notes, expects });
}

/** A list that may be empty, and is when left out. */
export function textsOrNone(expects: string, check: TextCheck<string>, notes: Described & OptionalNotes) {
  const schema = z
    .array(checked(check))
    .max(notes.mostItems ?? MOST_ITEMS)
    .default([]);
  return annotate(schema, { ...notes, expects, default: [] });
}

/** A list whose default is taken from other settings (empty until then); an empty list cannot be written. */
export function derivedTexts(
  defaultFrom: string,
  expects: string,
  check: TextCheck<string>,
  notes: Described & OptionalNotes,
) {
  const schema = z.array(checked(check)).min(1).max(MOST_ITEMS).default([]);
  return annotate(schema, { ...notes, expects, defaultFrom });
}

/** No list of a document is longer than this. */
export const MOST_ITEMS = 1000;

interface IntegerNotes extends Omit<Described, 'example'> {
  readonly default: number;
  readonly floor: number;
  readonly ceiling: number;
  readonly unit?: string;
  readonly rows?: readonly string[];
}

export function integer(notes: IntegerNotes) {
  const { floor, ceiling } = notes;
  const unit = notes.unit === undefined ? '' : ` (${notes.unit})`;
  const expects = `a whole number from ${floor} to ${ceiling}${unit}`;
  const schema = z.int().min(floor).max(ceiling).default(notes.default);
  return annotate(schema, { ...notes, expects, example: notes.default });
}

export function port(
  initial: number,
  notes: { sentence: string; rows?: readonly string[]; reload?: Reload },
) {
  return integer({ reload: 'live', ...notes, default: initial, floor: 1, ceiling: 65535 });
}

/** A port whose default depends on other settings (0 until then). */
export function derivedPort(
  defaultFrom: string,
  notes: { sentence: string; example: number; rows?: readonly string[] },
) {
  const [floor, ceiling] = [1, 65535];
  const expects = `a whole number from ${floor} to ${ceiling}`;
  const schema = z.int().min(floor).max(ceiling).default(0);
  return annotate(schema, { reload: 'live', ...notes, defaultFrom, expects, floor, ceiling });
}

/** A switch. */
export function toggle(initial: boolean, notes: Omit<Described, 'example'> & OptionalNotes) {
  const expects = 'true or false';
  return annotate(z.boolean().default(initial), { ...notes, expects, default: initial, example: initial });
}

/** A switch that is as another setting says when left out (undefined until then). */
export function derivedToggle(
  defaultFrom: string,
  notes: Omit<Described, 'example'> & OptionalNotes & { readonly example: boolean },
) {
  return annotate(z.boolean().optional(), { ...notes, expects: 'true or false', defaultFrom });
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  initial: Words[number],
  notes: Omit<Described, 'example'> & OptionalNotes,
) {
  const expects = `one of ${words.join(', ')}`;
  const schema = z.enum(words).prefault(initial);
  return annotate(schema, { ...notes, expects, default: initial, example: initial });
}

/** A list of some of a few words; a default of its own when left out. */
export function choices<const Words extends readonly [string, ...string[]]>(
  words: Words,
  initial: readonly Words[number][],
  notes: Omit<Described, 'example'> & OptionalNotes,
) {
  const expects = `a list of ${words.join(', ')}`;
  const schema = z
    .array(z.enum(words))
    .max(words.length)
    .prefault([...initial]);
  return annotate(schema, { ...notes, expects, default: initial, example: initial, mostItems: words.length });
}

/** The version of the document's format; the only one so far is 1. */
export function formatVersion() {
  const schema = z.int().transform((version, context): 1 => {
    if (version === 1) return 1;
    const params = { rule: 'version', instead: 'write version: 1' };
    context.addIssue({ code: 'custom', message: `version ${version} is not known to this program`, params });
    return z.NEVER;
  });
  const sentence = 'The version of the format of this document.';
  return annotate(schema, { sentence, reload: 'restart', expects: 'the number 1', example: 1, constant: 1 });
}

/** A section that must be there. */
export function section<Shape extends z.ZodRawShape>(sentence: string, shape: Shape) {
  const schema = z.strictObject(shape);
  sectionNotes.add(schema, { sentence });
  return schema;
}

/** A section all of whose settings have defaults, so that it may be left out. */
export function optionalSection<Shape extends z.ZodRawShape>(sentence: string, shape: Shape) {
  const schema = z.strictObject(shape);
  const wrapped = schema.prefault({} as z.input<typeof schema>);
  sectionNotes.add(wrapped, { sentence });
  return wrapped;
}

/** A list of sections that may be empty, and is when left out. */
export function sectionsOrNone<Shape extends z.ZodRawShape>(sentence: string, shape: Shape) {
  const schema = z.array(z.strictObject(shape)).max(MOST_ITEMS);
  const wrapped = schema.prefault([]);
  sectionNotes.add(wrapped, { sentence });
  return wrapped;
}

/** A list of at least one section. */
export function sections<Shape extends z.ZodRawShape>(sentence: string, shape: Shape) {
  const schema = z.array(z.strictObject(shape)).min(1).max(MOST_ITEMS);
  sectionNotes.add(schema, { sentence });
  return schema;
}

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/** A fully qualified host or domain name, lower-cased, without a final dot. */
export const domainName: TextCheck<string> = (input) => {
  const name = input.toLowerCase();
  const labels = name.split('.');
  const numeric = /^\d+$/.test(labels.at(-1) ?? '');
  if (name.length <= 253 && labels.length >= 2 && !numeric && labels.every((label) => LABEL.test(label))) {
    return { value: name };
  }
  const instead =
    'write a full domain name such as edge.example.com (international names in their xn-- form)';
  return { rule: 'domain-name', what: `${quote(input)} is not a fully qualified domain name`, instead };
};

/** An address of record without scheme, in lower case: `user@domain`. */
export const userAddress: TextCheck<string> = (input) => {
  const value = input.toLowerCase();
  const at = value.lastIndexOf('@');
  const domain = domainName(value.slice(at + 1));
  if (/^[a-z0-9][a-z0-9._+-]{0,63}$/.test(value.slice(0, Math.max(at, 0))) && 'value' in domain)
    return { value };
  const what = `${quote(input)} is not the address of a user`;
  return { rule: 'user-address', what, instead: 'write user@domain, for example alice@example.com' };
};

/** The origin of a page (RFC 6454 §6.2), in lower case and without the port that its scheme implies. */
export const webOrigin: TextCheck<string> = (input) => {
  const url = URL.canParse(input) ? new URL(input) : undefined;
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url !== undefined && web && `${url.origin}/` === url.href) return { value: url.origin };
  const what = `${quote(input)} is not the origin of a page`;
  return {
    rule: 'web-origin',
    what,
    instead: 'write scheme and host, for example https://phone.example.com',
  };
};

/** The address of a page that a link leads to: nothing behind its path. */
export const webPage: TextCheck<string> = (input) => {
  const url = URL.canParse(input) ? new URL(input) : undefined;
  const plain = url !== undefined && `${url.origin}${url.pathname}` === url.href;
  if (plain && url.protocol === 'https:') return { value: url.href };
  const what = `${quote(input)} is not the address of a page`;
  return {
    rule: 'web-page',
    what,
    instead: 'write https:// and a host, for example https://conf.example.com/',
  };
};

/** One address of this host: no wildcard, no multicast. */
export const hostAddress: TextCheck<string> = (input) => {
  const value = canonicalAddress(input);
  if (value === undefined) {
    const instead = 'write an IPv4 or IPv6 address without port, brackets or prefix length';
    return { rule: 'address', what: `${quote(input)} is not an IP address`, instead };
  }
  const range = addressRange(value);
  if (range === 'unspecified') {
    const instead = 'write the one address of the interface that is meant; nothing is bound to a wildcard';
    return { rule: 'wildcard-address', what: `${quote(input)} stands for every address`, instead };
  }
  if (range === 'multicast' || range === 'broadcast') {
    const what = `${quote(input)} is a ${range} address`;
    return { rule: 'address', what, instead: 'write the address of one host' };
  }
  return { value };
};

export const loopbackAddress: TextCheck<string> = (input) => {
  const outcome = hostAddress(input);
  if (!('value' in outcome) || addressRange(outcome.value) === 'loopback') return outcome;
  const what = `${quote(input)} is not a loopback address`;
  return {
    rule: 'loopback-address',
    what,
    instead: 'write 127.0.0.1 or ::1; collectors reach it from this host',
  };
};

export const network: TextCheck<string> = (input) => {
  const parsed = canonicalNetwork(input);
  if (parsed === undefined) {
    const instead = 'write address/length, for example 10.0.0.0/8 or 2001:db8::/32';
    return { rule: 'network', what: `${quote(input)} is not a network in CIDR form`, instead };
  }
  if (!parsed.exact) {
    const what = `${quote(input)} has bits set behind its prefix length`;
    return { rule: 'network', what, instead: `write ${parsed.network}, or the length that was meant` };
  }
  return { value: parsed.network };
};

export const filePath: TextCheck<string> = (input) =>
  input === '' || input.includes('\0')
    ? { rule: 'path', what: `${quote(input)} is not a path`, instead: 'write the path of a file' }
    : { value: input };

export const userName: TextCheck<string> = (input) =>
  /^[a-z_][a-z0-9_-]{0,31}$/.test(input)
    ? { value: input }
    : {
        rule: 'user-name',
        what: `${quote(input)} is not a user name`,
        instead: 'write a user name such as sallyport',
      };

/** The fingerprint of a signing key, as `config status` and `config export` print it. */
export const fingerprint: TextCheck<string> = (input) =>
  /^SHA256:[A-Za-z0-9+/]{43}$/.test(input)
    ? { value: input }
    : {
        rule: 'fingerprint',
        what: `${quote(input)} is not a fingerprint`,
        instead: 'write SHA256: and 43 characters, as config export prints it',
      };

/** A short name for people: 1 to 64 printable characters. */
export const label: TextCheck<string> = (input) =>
  /^[^\p{C}]{1,64}$/u.test(input)
    ? { value: input }
    : { rule: 'label', what: `${quote(input)} is not a name`, instead: 'write 1 to 64 printable characters' };

/** A realm goes into a quoted string on the wire: 1 to 127 characters without quotes or backslashes. */
export const realm: TextCheck<string> = (input) =>
  /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,127}$/.test(input)
    ? { value: input }
    : {
        rule: 'realm',
        what: `${quote(input)} cannot be a realm`,
        instead: 'write 1 to 127 ASCII characters without " and \\, for example the SIP domain',
      };
