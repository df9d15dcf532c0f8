/** The small window beside the pointer that tells what it points at. */

export interface Tip {
  /** Lines beside a pointer; none: hidden. */
  show(lines: readonly string[], at: { clientX: number; clientY: number }): void;
  hide(): void;
}

/** Takes over the element of the window. */
export function tipOf(element: HTMLElement): Tip {
  const hide = (): void => {
    element.hidden = true;
  };
  return {
    hide,
    show(lines, { clientX: x, clientY: y }) {
      if (lines.length === 0) {
        hide();
        return;
      }
      element.replaceChildren(
        ...lines.map(line => {
          const paragraph = document.createElement('p');
          paragraph.textContent = line;
          return paragraph;
        }),
      );
      element.hidden = false;
      const { width, height } = element.getBoundingClientRect();
      const isAbove = y + 18 + height > window.innerHeight;
      element.style.left = `${Math.max(8, Math.min(x + 14, document.documentElement.clientWidth - width - 8))}px`;
      element.style.top = `${isAbove ? y - height - 12 : y + 18}px`;
    },
  };
}
