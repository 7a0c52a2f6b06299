// Sorts a table by its headings; without JavaScript the table is complete, in network order.
"use strict";
for (const hint of document.querySelectorAll("[data-needs-script]")) hint.hidden = false;
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const status = document.querySelector("[data-sorted]");

  const value = (row, column) => row.cells[column].dataset.sort;

  const compare = (column, numeric, sign) => (a, b) => {
    const [left, right] = [value(a, column), value(b, column)];
    if (left === "" || right === "") return (left === "") - (right === ""); // no value: last
    return sign * (numeric ? left - right : left.localeCompare(right, "en", { numeric: true }));
  };

  const sort = (heading, direction) => {
    for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    const column = Number(heading.dataset.column);
    const rows = [...original];
    if (direction !== "none") {
      const sign = direction === "ascending" ? 1 : -1;
      rows.sort(compare(column, heading.classList.contains("num"), sign));
      heading.setAttribute("aria-sort", direction);
    }
    body.append(...rows);
    status.textContent = direction === "none"
      ? "layers in network order" : `layers sorted by ${heading.title}, ${direction}`;
  };

  for (const heading of table.querySelectorAll("th[data-column]")) {
    const first = heading.classList.contains("num") ? "descending" : "ascending";
    const second = first === "descending" ? "ascending" : "descending";
    const next = { [first]: second, [second]: "none" };
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      sort(heading, next[heading.getAttribute("aria-sort")] ?? first);
    });
  }
}
