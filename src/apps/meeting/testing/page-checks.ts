import axe from 'axe-core';

/** What a page is asked for its accessibility, within it; each question gives what is wrong as text. */

/** Makes `axe` known to a page. */
export const axeSource = axe.source;

/** WCAG 2.2, A and AA, as far as a program can tell, and what axe-core holds for good practice. */
const RULES = `
const ran = await axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
});
for (const { id, nodes } of ran.violations)
  for (const { target, failureSummary } of nodes) found.push(id + ': ' + target.join(' ') + ': ' + failureSummary);
`;

/** Nothing is wider than the screen. */
const WIDTH = `
if (document.documentElement.scrollWidth > innerWidth) found.push('wider than the screen: ' + document.documentElement.scrollWidth);
`;

export const accessibilityCheck = `(async () => { const found = []; { ${RULES} } { ${WIDTH} } return found; })()`;

/** Run before anything of the page: remembers what its policy refused, and what a screen reader was given to say. */
export const pageWatch = `
window.refused = [];
document.addEventListener('securitypolicyviolation', (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI));
window.heard = [];
const LIVE = '[role=alert],[role=status],[aria-live]';
new MutationObserver((changes) => {
  const regions = new Set(changes.map(({ target }) => (target.nodeType === 1 ? target : target.parentElement)?.closest(LIVE)));
  for (const region of regions) {
    const text = region?.isConnected ? region.textContent.trim() : '';
    if (text !== '') window.heard.push(text);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
`;

/** What has the focus: its role and name as written, and whether it shows that it has it. */
export const focusCheck = `(() => {
  const e = document.activeElement;
  if (e === null || e === document.body) return undefined;
  const marked = [e, ...(e.nextElementSibling ? [e.nextElementSibling] : [])].some((one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
  });
  const box = e.getBoundingClientRect();
  return { html: e.outerHTML.slice(0, 120), marked, seen: box.width > 0 && box.height > 0 };
})()`;
