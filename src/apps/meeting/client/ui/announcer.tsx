import { useSyncExternalStore } from 'react';

/** What a screen reader says besides what has the focus; the last word only, as a new one replaces it. */
let said = '';
const listeners = new Set<() => void>();

export function announce(text: string): void {
  // The same words again are said again.
  said = said === text ? `${text}\u00a0` : text;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcer() {
  const text = useSyncExternalStore(subscribe, () => said);
  return (
    <div className="hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
