import { declareInterface } from '../objects/interface.ts';

/**
 * What is drawn on a slide or a whiteboard. Ours. An annotation is named by its author and a number that the author chooses; points
 * are x, y, x, y … in thousandths of the width of the page, so that every screen shows the same.
 */
export const annotationContainer = declareInterface({
  name: 'AnnotationContainer',
  version: 1,
  server: {
    /** kind: 1 pen, 2 marker, 3 text, 4 line, 5 rectangle, 6 ellipse, 7 arrow; colour 0xRRGGBB, width in thousandths. */
    sAdd: [
      'Int32 page',
      'Int32 number',
      'Int32 kind',
      'Int32 colour',
      'Int32 width',
      'Int32[] points',
      'String text',
    ],
    /** Further points of one's own pen or marker. */
    sExtend: ['Int32 number', 'Int32[] points'],
    /** One's own, or any for a presenter. */
    sErase: ['Int64 userId', 'Int32 number'],
    /** Takes back one's latest. */
    sUndo: [],
    /** Presenter only. */
    sClear: ['Int32 page'],
    /** Passes and is not kept. */
    sPoint: ['Int32 page', 'Int32 x', 'Int32 y'],
  },
  client: {
    /** To everyone, its author included; userId is the author's, here and below. */
    cAdded: [
      'Int64 userId',
      'Int32 page',
      'Int32 number',
      'Int32 kind',
      'Int32 colour',
      'Int32 width',
      'Int32[] points',
      'String text',
    ],
    cExtended: ['Int64 userId', 'Int32 number', 'Int32[] points'],
    cErased: ['Int64 userId', 'Int32 number'],
    cCleared: ['Int32 page'],
    cPointed: ['Int64 userId', 'Int32 page', 'Int32 x', 'Int32 y'],
    cConnectCompleted: [],
  },
});

/** A whiteboard: nothing but its child `annotationContainer`. Ours. */
export const whiteboard = declareInterface({
  name: 'Whiteboard',
  version: 1,
  server: {},
  client: { cConnectCompleted: [] },
});
