/** Puts shapes on the screen. Elements are used again from frame to frame, and only what changed is touched. */

import { LAYERS, type Layer, type Shape } from '../shapes.js';

const SVG = 'http://www.w3.org/2000/svg';

interface Drawn {
  tag: string;
  element: SVGElement;
  attributes: Shape['attributes'];
  text: string;
  key: string | undefined;
}

/** A painter for an <svg> element, which it empties. */
export function surfaceOf(svg: SVGElement): (shapes: readonly Shape[]) => void {
  const layers = new Map<Layer, { group: SVGElement; drawn: Drawn[] }>();
  svg.replaceChildren();
  for (const layer of LAYERS) {
    const group = document.createElementNS(SVG, 'g');
    group.setAttribute('class', layer);
    svg.append(group);
    layers.set(layer, { group, drawn: [] });
  }
  return shapes => {
    const used = new Map<Layer, number>();
    for (const shape of shapes) {
      const layer = layers.get(shape.layer);
      if (layer === undefined) continue;
      const at = used.get(shape.layer) ?? 0;
      used.set(shape.layer, at + 1);
      update(layer.group, layer.drawn, at, shape);
    }
    for (const [name, { drawn }] of layers) {
      for (const { element } of drawn.splice(used.get(name) ?? 0)) element.remove();
    }
  };
}

function update(group: SVGElement, drawn: Drawn[], at: number, shape: Shape): void {
  let known = drawn[at];
  if (known === undefined || known.tag !== shape.tag) {
    const element = document.createElementNS(SVG, shape.tag);
    if (known === undefined) group.append(element);
    else known.element.replaceWith(element);
    known = { tag: shape.tag, element, attributes: {}, text: '', key: undefined };
    drawn[at] = known;
  }
  const { element, attributes } = known;
  for (const [name, value] of Object.entries(shape.attributes))
    if (attributes[name] !== value) element.setAttribute(name, String(value));
  known.attributes = shape.attributes;
  const text = shape.text ?? '';
  if (known.text !== text) element.textContent = text;
  known.text = text;
  if (known.key !== shape.key) {
    if (shape.key === undefined) delete element.dataset['key'];
    else element.dataset['key'] = shape.key;
    known.key = shape.key;
  }
}
