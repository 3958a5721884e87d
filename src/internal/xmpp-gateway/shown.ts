import type { DevicePresence } from '#protocols/sip-xmpp';
import { writePresence } from '#protocols/sip-xmpp';
import type { XmlElement } from '#protocols/xml';
import type { Watch } from './watch.ts';

/** Devices of one user that a watcher may take to be there. */
const MOST_SHOWN = 64;

/** The other side may take this device to be there, whatever it was told since. */
export function noteShown(watch: Watch, resource: string | undefined): void {
  if (watch.shown.size < MOST_SHOWN) watch.shown.add(resource ?? '');
}

/**
 * What makes the other side see what is known now: one stanza for each device that there is, and for each that it may
 * take to be there and that is not any more. Notes what it will have seen then.
 * @param whole also when that is nothing at all
 */
export function showAll(watch: Watch, whole: boolean): XmlElement[] {
  const known = watch.known ?? [];
  const here = new Set(known.filter(({ available }) => available).map(({ resource }) => resource ?? ''));
  const named = new Set(known.map(({ resource }) => resource ?? ''));
  const gone = [...watch.shown].filter((resource) => !named.has(resource));
  const all: DevicePresence[] = [
    ...known,
    ...gone.map((name) => ({ resource: nameOf(name), available: false })),
  ];
  if (all.length === 0 && whole) all.push({ resource: undefined, available: false });
  watch.shown.clear();
  for (const resource of here) noteShown(watch, resource);
  return all.map((device) => {
    const from = device.resource === undefined ? watch.local : `${watch.local}/${device.resource}`;
    return writePresence(from, watch.remote, device);
  });
}

function nameOf(resource: string): string | undefined {
  return resource === '' ? undefined : resource;
}
