/** An attribute that is in a namespace (other than `xml:`). */
export interface ForeignAttribute {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

/** One XML element, read or made here. What is written is always made from this, never from received bytes. */
export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  /** Attributes without a namespace, and `xml:lang`, by name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly foreign: readonly ForeignAttribute[];
  /** Elements and text in order. */
  readonly children: readonly (XmlElement | string)[];
}

type Attributes = Readonly<Record<string, string | undefined>>;

/** Makes an element; attributes that are undefined are left out. */
export function element(
  namespace: string,
  name: string,
  attributes: Attributes = {},
  children: readonly (XmlElement | string)[] = [],
): XmlElement {
  const present = new Map<string, string>();
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) present.set(key, value);
  return { name, namespace, attributes: present, foreign: [], children };
}

/** The first child element of that name; of any namespace when `namespace` is left out. */
export function child(parent: XmlElement, name: string, namespace?: string): XmlElement | undefined {
  for (const item of parent.children) {
    if (typeof item === 'string' || item.name !== name) continue;
    if (namespace === undefined || item.namespace === namespace) return item;
  }
  return undefined;
}

/** All child elements of that name and namespace. */
export function children(parent: XmlElement, name: string, namespace: string): XmlElement[] {
  return parent.children.filter(
    (item): item is XmlElement =>
      typeof item !== 'string' && item.name === name && item.namespace === namespace,
  );
}

/** The text directly inside. */
export function textOf(parent: XmlElement): string {
  let text = '';
  for (const item of parent.children) if (typeof item === 'string') text += item;
  return text;
}
