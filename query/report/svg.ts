/** Shapes as the text of an SVG picture. */

import { escapeHtml } from './html.js';
import { LAYERS, type Shape } from './shapes.js';

/** The inside of an <svg> element: a group for each layer, back to front. Titles tell what `tell` says of a key. */
export function svgInside(shapes: readonly Shape[], tell: (key: string) => string): string {
  return LAYERS.map(layer => {
    const own = shapes.filter(shape => shape.layer === layer);
    return `<g class="${layer}">${own.map(shape => element(shape, tell)).join('')}</g>`;
  }).join('\n');
}

function element({ tag, attributes, text = '', key }: Shape, tell: (key: string) => string): string {
  const written = Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeHtml(String(value))}"`)
    .join('');
  const told = key === undefined ? '' : tell(key);
  const title = told === '' ? '' : `<title>${escapeHtml(told)}</title>`;
  return `<${tag}${written}>${title}${escapeHtml(text)}</${tag}>`;
}
