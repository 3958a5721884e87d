/** Small drawings of our own, 20 by 20; what they mean is said by the label beside them. */
const paths = {
  pen: 'M4 16l1-4 8-8 3 3-8 8-4 1zM11.500 5.500l3 3',
  marker: 'M5 12l6-7 4 3.500-6 7H5zM4 17h12',
  text: 'M4 5h12M10 5v11M7.500 16h5',
  line: 'M4 16L16 4',
  rectangle: 'M3.500 5.500h13v9h-13z',
  ellipse: 'M10 5c4 0 6.500 2.200 6.500 5S14 15 10 15s-6.500-2.200-6.500-5S6 5 10 5z',
  arrow: 'M4 16L15.500 4.500M9 4.500h6.500V11',
  pointer: 'M10 3v4M10 13v4M3 10h4M13 10h4M10 9.300a.7.7 0 100 1.400.7.7 0 000-1.400z',
  eraser: 'M8 15.500L3.500 11l7-7 6 6-5.500 5.500H8zM7 7.500l6 6M4 17h12',
  undo: 'M7 4L3.500 7.500 7 11M4 7.500h7.500a4.500 4.500 0 010 9H7',
  clear: 'M4 6h12M8 6V4h4v2M5.500 6l.8 10.500h7.400L14.500 6M8.500 9v5M11.500 9v5',
  more: 'M10 4.500v.01M10 10v.01M10 15.500v.01',
  plus: 'M10 4v12M4 10h12',
  lock: 'M5 9.500h10v7H5zM7 9.500V7a3 3 0 016 0v2.500',
  people:
    'M7 9a2.700 2.700 0 100-5.400A2.700 2.700 0 007 9zM2 16.500c0-3 2.200-5 5-5s5 2 5 5M13 8.500a2.200 2.200 0 100-4.400M14 11.500c2.400.3 4 2.200 4 5',
  slides: 'M3 4h14v9.500H3zM10 13.500V17M7 17h6M6.500 7.500h7M6.500 10h4',
  board: 'M3 4h14v10H3zM6 11c1.500-4 3-4 4-1.500s2 1.500 4-2.500M7 17l1-3M13 17l-1-3',
  poll: 'M4 16.500V11M8 16.500V4M12 16.500V8M16 16.500v-3',
  file: 'M5 3h6.500L15 6.500V17H5zM11.500 3v3.500H15M8 10.500h4M8 13.500h4',
  left: 'M12.500 4L6.500 10l6 6',
  right: 'M7.500 4l6 6-6 6',
  close: 'M5 5l10 10M15 5L5 15',
  leave: 'M11 4H4.500v12H11M8.500 10H17M13.500 6.500L17 10l-3.500 3.500',
  download: 'M10 3v9M6 8.500l4 4 4-4M4 16.500h12',
  check: 'M4 10.500l4 4 8-9',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark: a door within a gate. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path className="mark-gate" d="M6 28V15a10 10 0 0 1 20 0v13" />
      <path className="mark-door" d="M12 28V16a4 4 0 0 1 8 0v12z" />
    </svg>
  );
}
