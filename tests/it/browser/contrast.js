// What cannot be read on the page: a document that is wider than the window, and text whose
// contrast is below 4.5:1 (WCAG 2.2, 1.4.3). A list of sentences.
(() => {
  const breaches = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const isWide = (one) => one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest(".scroll, pre");
    const wide = [...document.querySelectorAll("body *")].filter(isWide).map((one) => one.outerHTML.slice(0, 80));
    breaches.push(`${root.scrollWidth} of ${root.clientWidth} pixels: ${wide.slice(-3).join(" | ")}`);
  }
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const isClear = ([, , , alpha]) => alpha === 0;
  const light = (colour) => {
    const part = (value) => value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const [red, green, blue] = colour.map(part);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (!isClear(colour)) return colour;
    }
    return [255, 255, 255];
  };
  const check = (element, style, what) => {
    const [one, other] = [light(parse(style.color)), light(ground(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) breaches.push(`${ratio.toFixed(2)}:1 for ${what}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    const element = text.parentElement;
    if (text.data.trim() && element.checkVisibility()) check(element, getComputedStyle(element), text.data.slice(0, 40));
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]), textarea, select")) {
    check(field, getComputedStyle(field), `the field ${field.name}`);
    if (field.placeholder) check(field, getComputedStyle(field, "::placeholder"), `the example ${field.placeholder}`);
  }
  return breaches;
})()
