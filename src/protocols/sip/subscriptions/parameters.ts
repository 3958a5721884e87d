const TOKEN = /^[A-Za-z0-9.!%*_+`'~-]+$/;

/** A token with parameters, as Event and Subscription-State are; undefined when it is something else. */
export function readParameters(
  text: string,
): { readonly value: string; readonly parameters: ReadonlyMap<string, string> } | undefined {
  const [value = '', ...rest] = text.split(';').map((part) => part.trim());
  if (!TOKEN.test(value)) return undefined;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const [name = '', word = ''] = part.split('=').map((side) => side.trim());
    if (!TOKEN.test(name) || (word !== '' && !TOKEN.test(word))) return undefined;
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), word);
  }
  return { value: value.toLowerCase(), parameters };
}
