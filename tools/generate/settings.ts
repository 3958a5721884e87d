import { settings } from '#platform/topology';

/** The name of every setting of both documents, once: `host.name` is the same setting in both. */
export function settingNames(): string[] {
  const names = [...settings('edge'), ...settings('internal')].map((setting) => setting.name);
  return [...new Set(names)];
}
