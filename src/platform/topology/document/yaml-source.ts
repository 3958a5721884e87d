import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { type Complaint, type DocumentFinding, type Path, quote } from '../finding.ts';

/** Longest document, bytes. */
export const LONGEST_DOCUMENT = 1_048_576;
const MOST_SYNTAX_ERRORS = 20;
/** With so many findings, the rest is left for later: each costs time, and nobody reads on. */
const MOST_FINDINGS = 1000;

const SYNTAX_REMEDIES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'keep one document in a file, without a line of ---',
  BLOCK_AS_IMPLICIT_KEY: 'put text that holds a colon and a space, or ends in a colon, in quotes',
  RESOURCE_EXHAUSTION: 'nest lists and sections as the reference page shows',
};

const TOO_MANY: Complaint = {
  severity: 'error',
  rule: 'too-many-findings',
  what: `there is more to say than ${MOST_FINDINGS} findings`,
  instead: 'correct the others first, then check again',
};

type PlainNode = Node | null | undefined;

/** A YAML text with the positions of everything in it, and what is wrong with it as YAML. */
export class YamlSource {
  readonly file: string;
  readonly findings: DocumentFinding[] = [];
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.file = file;
    const source = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#document = parseDocument(source, {
      lineCounter: this.#lines,
      prettyErrors: false,
      strict: true,
      // Quadratic in the library; #checkNodes does it with a set.
      uniqueKeys: false,
    });
    this.#takeSyntaxErrors();
    if (!this.broken) this.#checkNodes();
  }

  /** The text is not YAML, so that nothing in it can be trusted to be what it seems. */
  get broken(): boolean {
    return this.#document.errors.length > 0;
  }

  get root(): PlainNode {
    return this.#document.contents;
  }

  /** No more findings are taken; the last one that was says so, and is an error. */
  get full(): boolean {
    return this.findings.length >= MOST_FINDINGS;
  }

  /** Adds a finding where the path leads: the value, or the nearest parent's key for what is not there. */
  add(path: Path, complaint: Complaint, at: 'key' | 'value' = 'value'): void {
    if (!this.full) this.#addAt(this.#offset(path, at), complaint);
  }

  #addAt(offset: number, complaint: Complaint): void {
    if (this.full) return;
    const { line, col } = this.#lines.linePos(offset);
    const last = this.findings.length === MOST_FINDINGS - 1;
    const { severity, rule, what, instead } = last ? TOO_MANY : complaint;
    const position = line === 0 ? { line: 1, column: 1 } : { line, column: col };
    this.findings.push({ severity, rule, file: this.file, ...position, what, instead });
  }

  #error(offset: number, rule: string, what: string, instead: string): void {
    this.#addAt(offset, { severity: 'error', rule, what, instead });
  }

  #takeSyntaxErrors(): void {
    const errors = this.#document.errors;
    const exhausted = errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
    for (const error of exhausted ? [exhausted] : errors.slice(0, MOST_SYNTAX_ERRORS)) {
      const remedy = SYNTAX_REMEDIES[error.code] ?? 'correct the YAML here or just before';
      const what = error === exhausted ? 'the document is nested too deeply' : `not YAML (${error.message})`;
      this.#error(error.pos[0], 'syntax', what, remedy);
    }
  }

  #checkNodes(): void {
    if (this.#document.directives.yaml.explicit) {
      this.#error(
        0,
        'directive',
        '%YAML directives are not used here',
        'remove the line; YAML 1.2 is understood',
      );
    }
    visit(this.#document, {
      Alias: (_, node) => {
        this.#error(
          startOf(node),
          'alias',
          `alias *${node.source} is not allowed`,
          'write the value out again',
        );
      },
      Scalar: (_, node) => this.#checkTag(node),
      Seq: (_, node) => this.#checkTag(node),
      Map: (_, node) => {
        this.#checkTag(node);
        this.#checkKeys(node);
      },
    });
  }

  #checkTag(node: Node & { tag?: string | undefined }): void {
    if (node.tag === undefined) return;
    const remedy = 'remove the tag; put a value in quotes to make it text';
    this.#error(startOf(node), 'tag', `tag ${quote(node.tag)} is not allowed`, remedy);
  }

  #checkKeys(map: YAMLMap): void {
    const seen = new Set<unknown>();
    for (const pair of map.items) {
      const key = keyOf(pair);
      if (key !== undefined && seen.has(key)) {
        this.#error(
          startOf(pair.key as Node),
          'duplicate-key',
          `${key} stands here twice`,
          'keep one of the two',
        );
      }
      seen.add(key);
    }
  }

  #offset(path: Path, at: 'key' | 'value'): number {
    let node: PlainNode = this.root;
    let offset = 0;
    for (const [index, step] of path.entries()) {
      const found: Entry | undefined = entry(node, step);
      if (found === undefined) return offset;
      offset = startOf(found.anchor);
      node = found.value;
      const last = index === path.length - 1;
      if (last && at === 'value' && showsItself(node)) offset = startOf(node);
    }
    return offset;
  }
}

interface Entry {
  readonly anchor: PlainNode;
  readonly value: PlainNode;
}

function entry(node: PlainNode, step: string | number): Entry | undefined {
  if (isMap(node)) {
    const pair = node.items.find((candidate) => keyOf(candidate) === step);
    return pair && { anchor: pair.key as PlainNode, value: pair.value as PlainNode };
  }
  if (!isSeq(node) || typeof step !== 'number') return undefined;
  const item = node.items[step] as PlainNode;
  return item ? { anchor: item, value: item } : undefined;
}

/** Whether pointing at the value itself is clearer than at its key. */
function showsItself(node: PlainNode): node is Node {
  if (isScalar(node)) return node.value !== null;
  return isAlias(node) || (isCollection(node) && node.flow === true);
}

function startOf(node: PlainNode): number {
  return node?.range?.[0] ?? 0;
}

/** A mapping's key as text; undefined for keys that are not scalars. */
export function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/** What stands for a mapping where a setting's value is expected. */
export const SECTION: unique symbol = Symbol('section');
/** What stands for an alias, about which enough has been said. */
export const REFUSED: unique symbol = Symbol('refused');

/** A node as a plain value: scalars, lists of them; mappings only as {@link SECTION}. */
export function plainValue(node: PlainNode): unknown {
  if (isScalar(node)) return node.tag === undefined ? node.value : REFUSED;
  if (isSeq(node)) return node.items.map((item) => plainValue(item as PlainNode));
  if (isMap(node)) return SECTION;
  return isAlias(node) ? REFUSED : null;
}
