import { dirname, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { nearest } from '#kernel';
import { type Path, pathText, quote } from '../finding.ts';
import { MOST_ITEMS, type SettingNotes, sectionNotes, settingNotes } from '../schema/setting.ts';
import { keyOf, plainValue, REFUSED, SECTION, type YamlSource } from './yaml-source.ts';

/** A document of which only what was readable is there; what is wrong or missing is undefined. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? (Draft<Item> | undefined)[]
  : T extends object
    ? { [Key in keyof T]?: Draft<T[Key]> | undefined }
    : T;

/** One setting as it was read; `value` is undefined when it is wrong or missing. */
export interface ReadSetting {
  readonly path: Path;
  readonly notes: SettingNotes;
  readonly value: unknown;
}

/** New names of keys by the path of the old one, without list indexes. */
export type RenamedKeys = ReadonlyMap<string, string>;

type PlainNode = Node | null | undefined;

/**
 * Reads a YAML text by a schema, setting by setting, so that one mistake hides no other. Every complaint goes to
 * the source, at its place.
 */
export class DocumentReader {
  readonly settings: ReadSetting[] = [];
  readonly #source: YamlSource;
  readonly #renamed: RenamedKeys;
  readonly #folder: string;
  readonly #policyFolder: string;

  /** @param policyFile where the policy part comes from, when it is not the file itself */
  constructor(source: YamlSource, renamed: RenamedKeys, policyFile = source.file) {
    this.#source = source;
    this.#renamed = renamed;
    this.#folder = dirname(resolve(source.file));
    this.#policyFolder = dirname(resolve(policyFile));
  }

  read(schema: z.ZodObject): unknown {
    return this.#read(schema, this.#source.root, []);
  }

  #read(schema: z.ZodType, node: PlainNode, path: Path): unknown {
    const notes = settingNotes.get(schema);
    if (notes !== undefined) return this.#readSetting(schema, notes, node, path);
    if (schema instanceof z.ZodPrefault) return this.#readOptional(schema, node, path);
    const absent = node === undefined || node === null || (isScalar(node) && node.value === null);
    if (absent) return this.#missing(schema, path);
    if (schema instanceof z.ZodObject) return this.#readSection(schema, node, path);
    return this.#readSections(schema as z.ZodArray<z.ZodObject>, node, path);
  }

  #readOptional(schema: z.ZodPrefault, node: PlainNode, path: Path): unknown {
    const inner = schema.unwrap();
    if (inner instanceof z.ZodObject) return this.#readSection(inner, node, path);
    const absent = node === undefined || node === null || (isSeq(node) && node.items.length === 0);
    return absent ? [] : this.#readSections(inner as z.ZodArray<z.ZodObject>, node, path);
  }

  #missing(schema: z.ZodType, path: Path): undefined {
    if (path.length === 0) {
      this.#error(
        path,
        'empty',
        'the document is empty',
        'write at least version, host and the part for people',
      );
      return;
    }
    const kind = schema instanceof z.ZodArray ? 'list' : 'section';
    const meaning = sectionNotes.get(schema)?.sentence ?? '';
    this.#error(
      path,
      'missing-key',
      `${pathText(path)} is missing`,
      `write this ${kind}. ${meaning}`.trimEnd(),
    );
  }

  #readSection(schema: z.ZodObject, node: PlainNode, path: Path): unknown {
    const shape = schema.shape as Record<string, z.ZodType>;
    const empty = node === undefined || node === null || (isScalar(node) && node.value === null);
    if (!empty && !isMap(node)) return this.#notA('section', 'key: value lines', node, path);
    if (isMap(node)) this.#checkKeys(node, shape, path);
    const values: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(shape)) {
      const pair = isMap(node) ? node.items.find((item) => keyOf(item) === key) : undefined;
      const value = pair === undefined ? undefined : ((pair.value as Node | null) ?? null);
      const read = this.#read(member, value, [...path, key]);
      if (read !== undefined) values[key] = read;
    }
    return values;
  }

  #readSections(schema: z.ZodArray<z.ZodObject>, node: PlainNode, path: Path): unknown {
    if (!isSeq(node)) return this.#notA('list', 'a list with "- " before each item', node, path);
    if (node.items.length === 0 || node.items.length > MOST_ITEMS) {
      this.#error(
        path,
        'list-length',
        `${pathText(path)} has ${node.items.length} items`,
        this.#lengths(node.items.length),
      );
      return undefined;
    }
    return node.items.map((item, index) => this.#read(schema.element, item as Node, [...path, index]));
  }

  #lengths(length: number, most: number = MOST_ITEMS): string {
    return length === 0 ? 'write at least one' : `write at most ${most}`;
  }

  #notA(kind: string, remedy: string, node: PlainNode, path: Path): undefined {
    if (isAlias(node)) return;
    const name = path.length === 0 ? 'the document' : pathText(path);
    this.#error(
      path,
      'wrong-type',
      `${name} is ${describe(plainValue(node))}, not a ${kind}`,
      `write ${remedy}`,
    );
  }

  #checkKeys(map: YAMLMap, shape: Record<string, z.ZodType>, path: Path): void {
    for (const pair of map.items) {
      if (this.#source.full) return;
      const key = keyOf(pair);
      if (key !== undefined && Object.hasOwn(shape, key)) continue;
      if (key === undefined) {
        this.#error(
          path,
          'unknown-key',
          `a key in ${pathText(path)} is not plain text`,
          'write a name as the key',
        );
        continue;
      }
      this.#unknownKey(key, Object.keys(shape), path);
    }
  }

  #unknownKey(key: string, known: readonly string[], path: Path): void {
    const here = [...path, key];
    const written = path.length === 0 ? quote(key) : `${quote(key)} in ${pathText(path)}`;
    const renamed = this.#renamed.get(pathText(here.filter((step) => typeof step === 'string')));
    if (renamed !== undefined) {
      this.#error(here, 'renamed-key', `${written} has a new name`, `write ${renamed}`, 'key');
      return;
    }
    const guess = nearest(key, known);
    const instead = guess === undefined ? `known here: ${known.join(', ')}` : `did you mean ${guess}?`;
    this.#error(here, 'unknown-key', `${written} is not a setting`, instead, 'key');
  }

  #readSetting(schema: z.ZodType, notes: SettingNotes, node: PlainNode, path: Path): unknown {
    const value = this.#parseSetting(schema, notes, node, path);
    this.settings.push({ path, notes, value });
    return value;
  }

  #parseSetting(schema: z.ZodType, notes: SettingNotes, node: PlainNode, path: Path): unknown {
    const written = node === undefined ? undefined : plainValue(node);
    if (written === REFUSED || (Array.isArray(written) && written.includes(REFUSED))) return undefined;
    const outcome = schema.safeParse(written);
    if (outcome.success)
      return written === undefined ? outcome.data : this.#resolved(outcome.data, notes, path);
    if (written === undefined) {
      this.#error(path, 'missing-key', `${pathText(path)} is missing`, `write ${notes.expects}`);
      return undefined;
    }
    for (const issue of outcome.error.issues) this.#explain(issue, written, notes, path);
    if (!Array.isArray(written) || outcome.error.issues.some((issue) => issue.path.length === 0))
      return undefined;
    return this.#goodItems(schema, notes, written, path);
  }

  /** The items of a list that are right, in their places, so that rules can go on with them. */
  #goodItems(schema: z.ZodType, notes: SettingNotes, written: readonly unknown[], path: Path): unknown {
    return written.map((item) => {
      const alone = schema.safeParse([item]);
      return alone.success ? (this.#resolved(alone.data, notes, path) as unknown[])[0] : undefined;
    });
  }

  #resolved(value: unknown, notes: SettingNotes, path: Path): unknown {
    if (notes.path !== true) return value;
    const folder = path[0] === 'policy' ? this.#policyFolder : this.#folder;
    const absolute = (file: unknown): unknown => (typeof file === 'string' ? resolve(folder, file) : file);
    return Array.isArray(value) ? value.map(absolute) : absolute(value);
  }

  #explain(issue: z.core.$ZodIssue, written: unknown, notes: SettingNotes, path: Path): void {
    const inner = issue.path as Path;
    const at = [...path, ...inner];
    const value = inner.length === 0 ? written : (written as unknown[])[inner[0] as number];
    const name = pathText(at);
    if (issue.code === 'custom') {
      const { rule, instead } = issue.params as { rule: string; instead: string };
      this.#error(at, rule, `${name}: ${issue.message}`, instead);
    } else if (issue.code === 'invalid_type') {
      const quotes = value === SECTION ? ' (put text that ends in a colon in quotes)' : '';
      const what = `${name} is ${describe(value)}`;
      this.#error(at, 'wrong-type', what, `write ${wanted(value, inner, notes)}${quotes}`);
    } else if (Array.isArray(value)) {
      this.#error(
        at,
        'list-length',
        `${name} has ${value.length} items`,
        this.#lengths(value.length, notes.mostItems),
      );
    } else {
      this.#error(at, 'out-of-range', `${name} is ${describe(value)}`, `write ${notes.expects}`);
    }
  }

  #error(path: Path, rule: string, what: string, instead: string, at: 'key' | 'value' = 'value'): void {
    this.#source.add(path, { severity: 'error', rule, what, instead }, at);
  }
}

function wanted(value: unknown, inner: Path, notes: SettingNotes): string {
  if (inner.length > 0) return typeof value === 'object' ? 'text' : 'it in quotes, as text';
  if (Array.isArray(notes.example)) return `${notes.expects}, such as [${notes.example.join(', ')}]`;
  const text = typeof notes.example === 'string';
  return text && typeof value === 'number' ? `${notes.expects}, in quotes` : notes.expects;
}

/** A value in words, safe to print. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (value === SECTION) return 'a section';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  return value === true ? 'true' : 'false';
}
