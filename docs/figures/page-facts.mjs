// What a browser makes of the report's page: runs inside it, so it may use nothing from outside of the function.

/** Measures the page that is open. */
export function facts() {
  const { documentElement: html, body } = document;
  const visible = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 0;
  const textOf = (element) => [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data).join('').trim();
  const texts = [...body.querySelectorAll('*:not(style):not(title):not(desc)')].filter((element) => textOf(element) !== '' && visible(element));

  /** Red, green, blue from 0 to 255, and how opaque. */
  function channels(colour) {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return { rgb: [red, green, blue], alpha };
  }

  /** What lies below: the rectangle of a box in the picture, else the nearest that is not transparent. */
  function below(element) {
    const rect = element.closest('.box')?.querySelector('rect');
    if (rect) return getComputedStyle(rect).fill;
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (channels(backgroundColor).alpha === 1) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  }

  function luminance(colour) {
    const [red, green, blue] = channels(colour).rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  function measured(element, colour, text) {
    return { text: text.slice(0, 60), class: element.getAttribute('class') ?? '', ratio: Math.round(contrast(colour, below(element)) * 100) / 100 };
  }

  const marks = [...body.querySelectorAll('.icon, .diagram use')].filter(visible);
  const boxes = [...body.querySelectorAll('.box')].filter(visible);
  const leaves = ({ left, right }, outer) => left < outer.left - 0.5 || right > outer.right + 0.5;
  const screen = { left: 0, right: html.clientWidth };
  return {
    background: getComputedStyle(body).backgroundColor,
    width: html.scrollWidth,
    headings: document.querySelectorAll('h1').length,
    pictures: [...body.querySelectorAll('svg.diagram')].filter(visible).map((picture) => [...picture.querySelectorAll('text')].map(({ textContent }) => textContent).join('\n')),
    findings: [...body.querySelectorAll('.finding h4')].filter(visible).map(({ textContent }) => textContent),
    outside: [
      ...boxes.flatMap((box) => [...box.querySelectorAll('text')].filter((text) => leaves(text.getBoundingClientRect(), box.querySelector('rect').getBoundingClientRect()))),
      ...texts.filter((element) => leaves(element.getBoundingClientRect(), screen)),
    ].map(({ textContent }) => textContent),
    contrasts: [
      ...texts.map((element) => {
        const { color, fill } = getComputedStyle(element);
        return measured(element, element instanceof SVGElement ? fill : color, textOf(element));
      }),
      ...marks.map((mark) => measured(mark, getComputedStyle(mark).color, 'mark')),
    ],
  };
}
