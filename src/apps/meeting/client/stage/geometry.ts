import type { AnnotationView } from '#protocols/psom';

/** x and y in thousandths of the width of the page. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How far from a stroke counts as on it. */
const TOLERANCE = 10;
/** Width of a letter by its height, roughly. */
const LETTER = 0.55;

/** Whether an eraser at this point is on the annotation. */
export function isHit({ kind, points, width, text }: AnnotationView, at: Point): boolean {
  const reach = TOLERANCE + (kind === 'text' ? 0 : width / 2);
  const [x = 0, y = 0, x2 = x, y2 = y] = points;
  if (kind === 'text') return isWithin(at, x, y - width, x + text.length * width * LETTER, y + width * 0.3);
  if (kind === 'rectangle' || kind === 'ellipse') {
    const box = [Math.min(x, x2), Math.min(y, y2), Math.max(x, x2), Math.max(y, y2)] as const;
    return isWithin(at, box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach);
  }
  if (points.length === 2) return distance(at, { x, y }) <= reach;
  for (let index = 0; index + 3 < points.length; index += 2) {
    const [ax = 0, ay = 0, bx = 0, by = 0] = points.slice(index, index + 4);
    if (distanceToSegment(at, { x: ax, y: ay }, { x: bx, y: by }) <= reach) return true;
  }
  return false;
}

function isWithin({ x, y }: Point, left: number, top: number, right: number, bottom: number): boolean {
  return x >= left && x <= right && y >= top && y <= bottom;
}
function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
function distanceToSegment(at: Point, from: Point, to: Point): number {
  const length = distance(from, to);
  if (length === 0) return distance(at, from);
  const along = ((at.x - from.x) * (to.x - from.x) + (at.y - from.y) * (to.y - from.y)) / length ** 2;
  const share = Math.min(Math.max(along, 0), 1);
  return distance(at, { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) });
}

/** A line through the points, its corners rounded off, as the `d` of a path. */
export function smoothPath(points: readonly number[]): string {
  const [x = 0, y = 0] = points;
  if (points.length <= 2) return `M${x} ${y}h.01`;
  let path = `M${x} ${y}`;
  for (let index = 2; index + 3 < points.length; index += 2) {
    const [cx = 0, cy = 0, nx = 0, ny = 0] = points.slice(index, index + 4);
    path += `Q${cx} ${cy} ${(cx + nx) / 2} ${(cy + ny) / 2}`;
  }
  return `${path}L${points.at(-2) ?? x} ${points.at(-1) ?? y}`;
}

/** The head of an arrow that ends at the second point, as the `d` of a path. */
export function arrowHead(points: readonly number[], width: number): string {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = points;
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const length = 10 + width * 3;
  const wing = (turn: number) =>
    `${x2 - length * Math.cos(angle + turn)} ${y2 - length * Math.sin(angle + turn)}`;
  return `M${wing(0.45)}L${x2} ${y2}L${wing(-0.45)}`;
}
