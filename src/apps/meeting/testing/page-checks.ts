/** What a page is asked for its accessibility: questions of our own, run within it; each gives what is wrong as text. */

/** Everything that can be used has a name that a screen reader can say; every image a description; one h1. */
const NAMES = `
const nameOf = (e) => {
  const by = (e.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
  const labels = [...(e.labels ?? [])].map((l) => l.textContent).join(' ');
  return (e.getAttribute('aria-label') || by.trim() || labels || e.textContent || e.title || '').trim();
};
const used = 'button,a[href],input,select,textarea,progress,dialog,nav,[role=application],[role=toolbar],[role=tablist],[role=menu],[tabindex="0"]';
for (const e of document.querySelectorAll(used)) if (nameOf(e) === '') found.push('no name: ' + e.outerHTML.slice(0, 120));
for (const e of document.querySelectorAll('img')) if (!e.alt) found.push('no description: ' + e.src);
if (document.querySelectorAll('h1').length !== 1) found.push('h1: ' + document.querySelectorAll('h1').length);
if (document.documentElement.lang === '') found.push('no language');
if (document.querySelectorAll('main').length !== 1) found.push('main: ' + document.querySelectorAll('main').length);
`;

/** Text stands out from what is behind it by 4.5 to 1, large text by 3 to 1 (WCAG 2.2, AA). */
const CONTRAST = `
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
};
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
const behind = (e) => {
  if (e === null) return rgba(getComputedStyle(document.documentElement).backgroundColor);
  const own = rgba(getComputedStyle(e).backgroundColor);
  return own[3] === 1 ? own : over(own, behind(e.parentElement));
};
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  const text = walker.currentNode.textContent.trim();
  if (text === '' || e.closest('noscript,svg,.gate,:disabled,[aria-disabled=true],dialog:not([open]),.hidden')) continue;
  if (!e.checkVisibility()) continue;
  const style = getComputedStyle(e);
  const back = behind(e);
  const [one, other] = [light(over(rgba(style.color), back)), light(back)].sort((a, b) => b - a);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = (one + 0.05) / (other + 0.05);
  if (ratio < (large ? 3 : 4.5)) found.push('contrast ' + ratio.toFixed(2) + ': ' + text.slice(0, 60));
}
`;

/** Nothing is wider than the screen, and what is pressed is large enough (24 pixels, WCAG 2.2, AA). */
const SIZES = `
if (document.documentElement.scrollWidth > innerWidth) found.push('wider than the screen: ' + document.documentElement.scrollWidth);
for (const e of document.querySelectorAll('button,a[href],input:not(.hidden)')) {
  const { width, height } = e.getBoundingClientRect();
  if (e.checkVisibility() && e.closest('label') === null && (width < 24 || height < 24)) found.push('small: ' + e.outerHTML.slice(0, 100));
}
`;

export const accessibilityCheck = `(() => { const found = []; { ${NAMES} } { ${CONTRAST} } { ${SIZES} } return found; })()`;

/** Run before anything of the page: remembers what its policy refused. */
export const policyWatch = `
window.refused = [];
document.addEventListener('securitypolicyviolation', (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI));
`;
