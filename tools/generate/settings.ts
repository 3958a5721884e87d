import { type Setting, settings } from '#platform/topology';

/** The name of every setting of both documents, once: `host.name` is the same setting in both. */
export function settingNames(): string[] {
  const names = [...settings('edge'), ...settings('internal')].map((setting) => setting.name);
  return [...new Set(names)];
}

/** What a setting is when nobody writes it, as pages of the reference say it. */
export function initialText(setting: Setting): string {
  if (setting.defaultFrom !== undefined) return setting.defaultFrom;
  if (typeof setting.default === 'object') return setting.default.join(', ') || 'none';
  if (setting.default !== undefined) return `\`${setting.default}\``;
  return setting.optional === true ? 'none' : '*must be written*';
}
