import type { AnnotationKind } from '#protocols/psom';
import type { IconName } from '../ui/icons.tsx';

export type Tool = AnnotationKind | 'pointer' | 'eraser';

/** In the order in which they stand. */
export const tools: readonly (readonly [Tool, IconName])[] = [
  ['pen', 'pen'],
  ['marker', 'marker'],
  ['text', 'text'],
  ['line', 'line'],
  ['arrow', 'arrow'],
  ['rectangle', 'rectangle'],
  ['ellipse', 'ellipse'],
  ['pointer', 'pointer'],
  ['eraser', 'eraser'],
];

export const colours = {
  ink: 0x1c2b2e,
  red: 0xc0392b,
  blue: 0x1f5fbf,
  green: 0x1d7a46,
  orange: 0xc8690a,
  violet: 0x7a3fa0,
} as const;
export type Colour = keyof typeof colours;

/** Of a pen, in thousandths of the page's width. */
export const widths = { thin: 2, medium: 4, thick: 8 } as const;
export type Width = keyof typeof widths;

export interface Brush {
  readonly tool: Tool;
  readonly colour: Colour;
  readonly width: Width;
}
export const firstBrush: Brush = { tool: 'pen', colour: 'ink', width: 'medium' };

/** The width of what the brush draws: a marker is broad, and of a text it is the height. */
export function strokeWidth({ tool, width }: Brush): number {
  if (tool === 'marker') return widths[width] * 5;
  if (tool === 'text') return widths[width] * 7;
  return widths[width];
}
