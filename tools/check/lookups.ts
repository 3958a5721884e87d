import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/*
 * Nothing of the product resolves a name by the C library (getaddrinfo): that blocks a thread of the pool for as long as it
 * pleases, knows no source address, no TTL and no bound, and reads files that nobody planned. Names are resolved by
 * platform/dns, and sockets are opened towards addresses. So of node:dns only `Resolver` is used, and
 * whatever opens a socket of Node, and would ask getaddrinfo for a name when it were given one, is told a `lookup` of
 * ours, or says in place of a host by what else it connects. There are no exceptions.
 */
const root = join(import.meta.dirname, '..', '..');
const NOT_THE_PRODUCT =
  /\.(test|fuzz|conformance)\.ts$|\/test(ing|data)\/|^src\/apps\/meeting\/client\/browser\//;

/** What opens a socket, by module. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  net: ['connect', 'createConnection'],
  tls: ['connect'],
  http: ['request', 'get'],
  https: ['request', 'get'],
  http2: ['connect'],
  dgram: ['createSocket'],
  ws: ['WebSocket', 'default'],
};
/** Options by which no name can be asked for: a lookup of ours, or something else than a host. */
const ENOUGH = new Set(['lookup', 'path', 'socketPath', 'socket', 'createConnection']);
/** Of HTTP `path` is something else. */
const ENOUGH_OF_HTTP = new Set([...ENOUGH].filter((option) => option !== 'path'));

const problems: string[] = [];

class Source {
  readonly #name: string;
  readonly #tree: ts.SourceFile;
  /** Local names of openers, and whose they are. */
  readonly #openers = new Map<string, string>();
  /** Object literals of the file by the variable that they are the value of. */
  readonly #literals = new Map<string, ts.ObjectLiteralExpression>();
  #declaresFetch = false;

  constructor(name: string) {
    this.#name = name;
    this.#tree = ts.createSourceFile(
      name,
      readFileSync(join(root, name), 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    );
  }
  check(): void {
    this.#walk(this.#tree, (node) => this.#learn(node));
    this.#walk(this.#tree, (node) => this.#judge(node));
  }

  #learn(node: ts.Node): void {
    if (ts.isImportDeclaration(node)) this.#learnImport(node);
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node);
    if (!declares || node.name === undefined || !ts.isIdentifier(node.name)) return;
    if (node.name.text === 'fetch') this.#declaresFetch = true;
    if (
      ts.isVariableDeclaration(node) &&
      node.initializer &&
      ts.isObjectLiteralExpression(node.initializer)
    ) {
      this.#literals.set(node.name.text, node.initializer);
    }
  }
  #learnImport({ moduleSpecifier, importClause }: ts.ImportDeclaration): void {
    if (!ts.isStringLiteral(moduleSpecifier) || importClause === undefined || importClause.isTypeOnly) return;
    const module = moduleSpecifier.text.replace(/^node:/, '');
    const isDns = module === 'dns' || module === 'dns/promises';
    const openers = OPENERS[module];
    if (!isDns && openers === undefined) return;
    const { name, namedBindings } = importClause;
    const named = namedBindings && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
    if (name !== undefined && openers?.includes('default') === true) this.#openers.set(name.text, module);
    else if (name !== undefined || (namedBindings && ts.isNamespaceImport(namedBindings))) {
      this.#report(moduleSpecifier, `import what is used of node:${module} by its name`);
    }
    for (const element of named) {
      const imported = (element.propertyName ?? element.name).text;
      if (element.isTypeOnly) continue;
      if (isDns && imported !== 'Resolver') {
        this.#report(element, `${imported} of node:${module} asks the C library; use #platform/dns`);
      }
      if (openers?.includes(imported) === true) this.#openers.set(element.name.text, module);
    }
  }

  #judge(node: ts.Node): void {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return;
    const { expression: callee } = node;
    const options = (node.arguments ?? [])
      .map((one) => this.#literalOf(one))
      .find((one) => one !== undefined);
    if (ts.isIdentifier(callee)) {
      const module = this.#openers.get(callee.text);
      const enough = module === 'http' || module === 'https' ? ENOUGH_OF_HTTP : ENOUGH;
      if (module !== undefined && !has(options, enough)) {
        this.#report(node, `${callee.text} of ${module} without a lookup: literalLookup of #kernel`);
      }
      if (callee.text === 'fetch' && !this.#declaresFetch) this.#report(node, 'fetch asks the C library');
    } else if (ts.isPropertyAccessExpression(callee) && callee.name.text === 'connect') {
      // `connect` of a socket that was made before.
      if (has(options, new Set(['host'])) && has(options, new Set(['port'])) && !has(options, ENOUGH))
        this.#report(node, 'connect without a lookup: literalLookup of #kernel');
    }
  }
  #literalOf(argument: ts.Expression): ts.ObjectLiteralExpression | undefined {
    if (ts.isObjectLiteralExpression(argument)) return argument;
    return ts.isIdentifier(argument) ? this.#literals.get(argument.text) : undefined;
  }

  #walk(node: ts.Node, visit: (node: ts.Node) => void): void {
    visit(node);
    ts.forEachChild(node, (child) => this.#walk(child, visit));
  }
  #report(node: ts.Node, what: string): void {
    const { line } = this.#tree.getLineAndCharacterOfPosition(node.getStart());
    problems.push(`${this.#name}:${line + 1}: ${what}`);
  }
}

function has(options: ts.ObjectLiteralExpression | undefined, wanted: ReadonlySet<string>): boolean {
  return (
    options?.properties.some(
      ({ name }) => name !== undefined && ts.isIdentifier(name) && wanted.has(name.text),
    ) === true
  );
}

for (const file of globSync('src/**/*.{ts,tsx}', { cwd: root })) {
  if (!NOT_THE_PRODUCT.test(file)) new Source(file).check();
}
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
