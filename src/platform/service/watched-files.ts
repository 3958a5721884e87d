/**
 * What a watch looks at: the document's own file, and those that the document names. The watch asks every second, and to find
 * the latter is to walk through all of a document, so those of the last one are remembered.
 */
export class WatchedFiles<Document> {
  readonly #file: string;
  readonly #named: (document: Document) => readonly string[];
  #last: { readonly document: Document; readonly files: readonly string[] } | undefined;

  /** @param named depends on nothing but the document */
  constructor(file: string, named: (document: Document) => readonly string[]) {
    this.#file = file;
    this.#named = named;
  }

  of(document: Document | undefined): readonly string[] {
    if (document === undefined) return [this.#file];
    if (this.#last?.document !== document)
      this.#last = { document, files: [this.#file, ...this.#named(document)] };
    return this.#last.files;
  }
}
