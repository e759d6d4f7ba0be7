// Measures the HTML page of a result. It runs inside the browser, so it may use nothing from outside of the function.

/** Returns what a reader sees of the open page: its size, pictures, findings, contrasts, and texts that leave their place. */
export function facts() {
  const { documentElement: html, body } = document;
  /** @param {Element} element */
  const isVisible = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 0;
  /** @param {Element} element */
  const textOf = (element) => [...element.childNodes].map((node) => node instanceof Text ? node.data : '').join('').trim();
  const texts = [...body.querySelectorAll('*:not(style):not(title):not(desc)')].filter((element) => textOf(element) !== '' && isVisible(element));

  /**
   * Returns red, green and blue from 0 to 255, and alpha from 0 to 1.
   *
   * @param {string} colour
   */
  function channels(colour) {
    const [red = 0, green = 0, blue = 0, alpha = 1] = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return { red, green, blue, alpha };
  }

  /**
   * Returns the colour behind an element: that of the nearest opaque ancestor.
   *
   * @param {Element} element
   */
  function colourBehind(element) {
    /** @type {Element | null} */
    let at = element;
    for (; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (channels(backgroundColor).alpha === 1) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  }

  /**
   * Returns the relative luminance (WCAG 2.2).
   *
   * @param {string} colour
   */
  function luminance(colour) {
    const { red, green, blue } = channels(colour);
    /** @param {number} value */
    const linear = (value) => value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  }

  /**
   * Returns the contrast ratio (WCAG 2.2, 1.4.3).
   *
   * @param {string} one
   * @param {string} other
   */
  function contrast(one, other) {
    const [first, second] = [luminance(one), luminance(other)];
    return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
  }

  /**
   * @param {Element} element
   * @param {string} colour
   * @param {string} text
   */
  function measured(element, colour, text) {
    return { text: text.slice(0, 60), class: element.getAttribute('class') ?? '', ratio: Math.round(contrast(colour, colourBehind(element)) * 100) / 100 };
  }

  const marks = [...body.querySelectorAll('.icon')].filter(isVisible);
  const boxes = [...body.querySelectorAll('.box')].filter(isVisible);
  /**
   * @param {Element} element
   * @param {{ left: number, right: number }} outer
   */
  const leaves = (element, outer) => {
    const { left, right } = element.getBoundingClientRect();
    return left < outer.left - 0.5 || right > outer.right + 0.5;
  };
  return {
    background: getComputedStyle(body).backgroundColor,
    width: html.scrollWidth,
    headings: document.querySelectorAll('h1').length,
    pictures: [...body.querySelectorAll('.picture')].filter(isVisible).map(({ textContent }) => textContent ?? ''),
    findings: [...body.querySelectorAll('.finding h4')].filter(isVisible).map(({ textContent }) => textContent),
    outside: [
      ...boxes.flatMap((box) => [...box.querySelectorAll('code, p, b')].filter((part) => leaves(part, box.getBoundingClientRect()))),
      ...texts.filter((element) => leaves(element, { left: 0, right: html.clientWidth })),
    ].map(({ textContent }) => textContent),
    contrasts: [
      ...texts.map((element) => measured(element, getComputedStyle(element).color, textOf(element))),
      ...marks.map((mark) => measured(mark, getComputedStyle(mark).color, 'mark')),
    ],
  };
}
