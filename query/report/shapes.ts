/** The few shapes that a picture is made of. svg.ts writes them as text, page/surface.ts makes elements of them. */

/** From back to front. */
export const LAYERS = [
  'gaps',
  'stripes',
  'forks',
  'bars',
  'marks',
  'lines',
  'heads',
  'words',
  'labels',
] as const;

export type Layer = (typeof LAYERS)[number];

export interface Shape {
  layer: Layer;
  tag: 'rect' | 'path' | 'text';
  attributes: Record<string, string | number>;
  /** Of a text. */
  text?: string;
  /** What the pointer is told: of a row, an event. */
  key?: string;
}

export function rect(
  layer: Layer,
  kind: string,
  x: number,
  y: number,
  width: number,
  height: number,
  key?: string,
): Shape {
  return {
    layer,
    tag: 'rect',
    attributes: { class: kind, x: round(x), y: round(y), width: round(width), height: round(height) },
    ...(key === undefined ? {} : { key }),
  };
}

export function path(layer: Layer, kind: string, d: string, key?: string): Shape {
  return { layer, tag: 'path', attributes: { class: kind, d }, ...(key === undefined ? {} : { key }) };
}

export function text(layer: Layer, kind: string, x: number, y: number, words: string, key?: string): Shape {
  return {
    layer,
    tag: 'text',
    attributes: { class: kind, x: round(x), y: round(y) },
    text: words,
    ...(key === undefined ? {} : { key }),
  };
}

/** A tenth of a pixel is enough. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
