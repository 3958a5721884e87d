const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};
const BREAKS = new Set(['br', 'p', 'div', 'li', 'tr', 'blockquote']);
const SILENT = new Set(['script', 'style', 'head', 'title']);

/**
 * The text of a message that was written as HTML. No markup goes to the other side: what would have to be trusted there
 * is left out here.
 */
export function textOfHtml(html: string): string {
  let text = '';
  let silent: string | undefined;
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf('<', at);
    const until = open < 0 ? html.length : open;
    if (silent === undefined) text += decodeEntities(html.slice(at, until).replace(/\s+/g, ' '));
    if (open < 0) break;
    const close = html.indexOf('>', open);
    if (close < 0) break;
    const tag = /^<(\/?)([a-z][a-z0-9]{0,15})/i.exec(html.slice(open, open + 20));
    const name = tag?.[2]?.toLowerCase() ?? '';
    const ends = tag?.[1] === '/';
    if (silent === undefined && SILENT.has(name) && !ends) silent = name;
    else if (silent === name && ends) silent = undefined;
    else if (silent === undefined && BREAKS.has(name) && (name === 'br' || ends)) text += '\n';
    at = close + 1;
  }
  return text.replace(/[ \t]+\n/g, '\n').trim();
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    const known = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return known ? String.fromCodePoint(code) : '\ufffd';
  });
}
