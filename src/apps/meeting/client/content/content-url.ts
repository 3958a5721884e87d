/** Where a stored file is fetched: on the server of the page, opened by the participant's own token. */
export function contentUrl(contentToken: string, hash: string): string {
  return `/content/${encodeURIComponent(contentToken)}/${encodeURIComponent(hash)}`;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** A size for people, in the units of their language. */
export function formatSize(bytes: number, language: string): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const unit = UNITS[step] ?? 'byte';
  const format = new Intl.NumberFormat(language, {
    ...{
      style: 'unit',
      unit,
      unitDisplay: step === 0 ? 'long' : 'short',
      maximumFractionDigits: step > 1 ? 1 : 0,
    },
  });
  return format.format(bytes / 1_000 ** step);
}
