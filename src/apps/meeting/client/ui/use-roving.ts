import { type FocusEvent, type KeyboardEvent, type RefObject, useEffect, useRef } from 'react';

const moves: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Many buttons that are one stop for the Tab key: arrow keys, Home and End go from one to the next, as in every toolbar. */
export function useRoving(): {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly onFocus: (event: FocusEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
} {
  const ref = useRef<HTMLDivElement>(null);
  const buttons = () => [...(ref.current?.querySelectorAll<HTMLButtonElement>('button:enabled') ?? [])];
  const stopAt = (stop: HTMLElement | undefined) => {
    for (const one of buttons()) one.tabIndex = one === stop ? 0 : -1;
  };
  // Buttons come, go, and are disabled while there is no connection.
  useEffect(() => {
    const all = buttons();
    const stops = all.filter(({ tabIndex }) => tabIndex === 0);
    if (stops.length !== 1) stopAt(all.find((one) => one === document.activeElement) ?? all[0]);
  });
  return {
    ref,
    onFocus: ({ target }) => {
      if (target instanceof HTMLButtonElement) stopAt(target);
    },
    onKeyDown: (event) => {
      const all = buttons();
      const to = moves[event.key]?.(all.indexOf(document.activeElement as HTMLButtonElement), all.length);
      if (to === undefined) return;
      event.preventDefault();
      all[to]?.focus();
    },
  };
}
