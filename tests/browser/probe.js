// Last script of the probed page: uses it, and sends what it found to the page around it.
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const table = document.querySelector("table.sortable");
const order = () => [...table.tBodies[0].rows].map((row) => row.id);

function sorted(heading) {
  const column = Number(heading.dataset.column);
  const button = heading.querySelector("button");
  button?.focus();
  const focused = document.activeElement === button;
  const press = () => {
    button?.click();
    return {
      aria: heading.getAttribute("aria-sort"),
      marked: all("[aria-sort]", table).length,
      values: [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.sort),
      order: order(),
    };
  };
  const numeric = heading.classList.contains("num");
  return { help: heading.title, numeric, focused, presses: [press(), press(), press()] };
}

const look = (cell) => {
  const { backgroundColor, boxShadow } = getComputedStyle(cell);
  return `${backgroundColor} ${boxShadow}`;
};

function followed(link) {
  const row = document.getElementById(link.hash?.slice(1) ?? link.getAttribute("href").slice(1));
  const before = row && look(row.cells[1]);
  link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  const box = row?.getBoundingClientRect();
  return {
    name: link.querySelector("title").textContent,
    reached: row !== null && document.querySelector(":target") === row,
    highlighted: row !== null && look(row.cells[1]) !== before,
    visible: row !== null && box.top >= 0 && box.top < innerHeight,
  };
}

// The first column must stay when the table is scrolled sideways.
function sticky() {
  const box = document.querySelector("#layers .scroll");
  box.scrollLeft = 150;
  const left = table.tBodies[0].rows[0].cells[0].getBoundingClientRect().left;
  const moved = box.scrollLeft;
  const offset = left - box.getBoundingClientRect().left;
  box.scrollLeft = 0;
  return { moved, offset };
}

const rgba = (text) => {
  const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
  return { r, g, b, a };
};
const luminance = ({ r, g, b }) => {
  const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const background = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const shape = e.matches("a.node") && e.querySelector("rect");
    const colour = rgba(shape ? getComputedStyle(shape).fill : getComputedStyle(e).backgroundColor);
    if (colour.a === 1) return colour;
  }
  return rgba("rgb(255, 255, 255)");
};

// WCAG 2.1, 1.4.3: 4.5 to 1 for text.
function faint() {
  const found = [];
  for (const element of all("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.matches("script, title") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = luminance(rgba(element instanceof SVGElement ? style.fill : style.color));
    const paper = luminance(background(element));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName} "${element.textContent.trim().slice(0, 40)}" ${ratio.toFixed(2)}`);
  }
  return found;
}

addEventListener("load", () => {
  document.documentElement.style.scrollBehavior = "auto";
  const findings = {
    width: innerWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    scroll_width: document.documentElement.scrollWidth,
    network_order: order(),
    columns: all("th[data-column]").map(sorted),
    links: all(".graph a.node").filter((link) => link.getAttribute("href") !== "#bits-input").map(followed),
    sticky: sticky(),
    faint: faint(),
    requests: performance.getEntriesByType("resource").map((entry) => entry.name),
  };
  setTimeout(() => parent.postMessage(JSON.stringify({ ...findings, noted }), "*"), 200);
});
