import { z } from 'zod';
import type { DocumentKind } from '../document/check.ts';
import { valueAt } from '../value-at.ts';
import { type EdgeDocument, edgeSchema } from './edge-schema.ts';
import { type InternalDocument, internalSchema } from './internal-schema.ts';
import { type SettingNotes, sectionNotes, settingNotes } from './setting.ts';

/** One setting of a document: its name as `policy.nextHop.members[].port`, and everything about it. */
export interface Setting extends SettingNotes {
  readonly name: string;
  readonly document: DocumentKind;
}

/** A document's schema as a tree, for what is generated from it. */
export type SchemaNode =
  | { readonly kind: 'setting'; readonly key: string; readonly setting: Setting }
  | {
      readonly kind: 'section' | 'sections';
      readonly key: string;
      readonly name: string;
      readonly sentence: string;
      /** Everything in it has a default. */
      readonly optional: boolean;
      readonly members: readonly SchemaNode[];
    };

const schemas: Readonly<Record<DocumentKind, z.ZodObject>> = { edge: edgeSchema, internal: internalSchema };

export function schemaTree(document: DocumentKind): SchemaNode & { kind: 'section' | 'sections' } {
  const tree = nodeOf(schemas[document], '', '', document);
  if (tree.kind === 'setting') throw new TypeError('a document is a section');
  return tree;
}

/** Every setting of a document, in the schema's order. */
export function settings(document: DocumentKind): Setting[] {
  return flat(schemaTree(document));
}

/**
 * The files that a loaded document names and the program reads: certificates, keys, secrets. A change of one
 * calls for provisioning the document again.
 */
export function namedFiles(kind: 'edge', document: EdgeDocument): string[];
export function namedFiles(kind: 'internal', document: InternalDocument): string[];
export function namedFiles(kind: DocumentKind, document: unknown): string[] {
  const files = settings(kind)
    .filter((setting) => setting.file !== undefined)
    .flatMap((setting) => valueAt(document, setting.name.split('.')))
    .filter((file) => typeof file === 'string');
  return [...new Set(files)];
}

/** JSON Schema (draft 2020-12) of what may be written. */
export function documentJsonSchema(document: DocumentKind): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(schemas[document], {
    io: 'input',
    target: 'draft-2020-12',
    override({ zodSchema, jsonSchema }) {
      const section = sectionNotes.get(zodSchema)?.sentence;
      if (section !== undefined) jsonSchema.description = section;
      const notes = settingNotes.get(zodSchema);
      if (notes !== undefined) describeSetting(jsonSchema, notes);
    },
  });
  return { $schema, title: `${document}.yaml`, ...schema };
}

function describeSetting(jsonSchema: z.core.JSONSchema.BaseSchema, notes: SettingNotes): void {
  const unit = notes.unit === undefined ? '' : ` In ${notes.unit}.`;
  const from = notes.defaultFrom === undefined ? '' : ` Default: ${notes.defaultFrom}.`;
  jsonSchema.description = `${notes.sentence}${unit}${from}`;
  delete jsonSchema.default;
  if (notes.default !== undefined) Object.assign(jsonSchema, { default: notes.default });
  if (notes.constant === undefined) return;
  delete jsonSchema.minimum;
  delete jsonSchema.maximum;
  jsonSchema.const = notes.constant;
}

function nodeOf(schema: z.ZodType, key: string, name: string, document: DocumentKind): SchemaNode {
  const notes = settingNotes.get(schema);
  if (notes !== undefined) return { kind: 'setting', key, setting: { ...notes, name, document } };
  const sentence = sectionNotes.get(schema)?.sentence ?? '';
  const optional = schema instanceof z.ZodPrefault;
  const inner = optional ? (schema.unwrap() as z.ZodType) : schema;
  const repeated = inner instanceof z.ZodArray;
  const object = (repeated ? inner.element : inner) as z.ZodObject;
  const prefix = repeated ? `${name}[].` : name === '' ? '' : `${name}.`;
  const members = Object.entries(object.shape as Record<string, z.ZodType>).map(([member, type]) =>
    nodeOf(type, member, `${prefix}${member}`, document),
  );
  return { kind: repeated ? 'sections' : 'section', key, name, sentence, optional, members };
}

function flat(node: SchemaNode): Setting[] {
  return node.kind === 'setting' ? [node.setting] : node.members.flatMap(flat);
}
