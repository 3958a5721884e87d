import { memo, useEffect, useState } from 'react';
import type { AnnotationView, PointerView } from '#protocols/psom';
import { arrowHead, smoothPath } from './geometry.ts';

/** One annotation; drawn anew only when it changed. */
export const Shape = memo(function Shape({ annotation }: { readonly annotation: AnnotationView }) {
  const { kind, points, width, text } = annotation;
  const stroke = colourOf(annotation.colour);
  const line = { stroke, strokeWidth: width };
  const [x1 = 0, y1 = 0, x2 = x1, y2 = y1] = points;
  switch (kind) {
    case 'pen':
      return <path d={smoothPath(points)} {...line} />;
    case 'marker':
      return <path d={smoothPath(points)} {...line} opacity={0.35} />;
    case 'text':
      return (
        <text x={x1} y={y1} fill={stroke} fontSize={width}>
          {text}
        </text>
      );
    case 'line':
      return <line x1={x1} y1={y1} x2={x2} y2={y2} {...line} />;
    case 'arrow':
      return (
        <g {...line}>
          <line x1={x1} y1={y1} x2={x2} y2={y2} />
          <path d={arrowHead(points, width)} />
        </g>
      );
    case 'rectangle':
      return <rect {...boxOf(x1, y1, x2, y2)} {...line} />;
    case 'ellipse':
      return (
        <ellipse
          cx={(x1 + x2) / 2}
          cy={(y1 + y2) / 2}
          rx={Math.abs(x2 - x1) / 2}
          ry={Math.abs(y2 - y1) / 2}
          {...line}
        />
      );
  }
});

function boxOf(x1: number, y1: number, x2: number, y2: number) {
  return { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) };
}
function colourOf(colour: number): string {
  return `#${(colour & 0xffffff).toString(16).padStart(6, '0')}`;
}

const POINTER_MS = 2_500;

/** Where somebody points; goes when nothing is heard of it any more. */
export function PointerMark({ pointer, name }: { readonly pointer: PointerView; readonly name: string }) {
  const [gone, setGone] = useState(0);
  const { sequence, x, y } = pointer;
  useEffect(() => {
    const timer = setTimeout(() => setGone(sequence), POINTER_MS);
    return () => clearTimeout(timer);
  }, [sequence]);
  if (gone >= sequence) return null;
  return (
    <g className="pointer-mark">
      <circle cx={x} cy={y} r={11} />
      <circle className="pointer-core" cx={x} cy={y} r={4} />
      <text x={x + 16} y={y + 5} fontSize={15}>
        {name}
      </text>
    </g>
  );
}
