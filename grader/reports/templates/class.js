"use strict";
// Sorting, searching and filtering; without scripts all rows are there, in alphabetical order.
const table = document.querySelector("table.sortable");
const body = table.tBodies[0];
const rows = [...body.rows];
const heads = [...table.tHead.rows[0].cells];
const key = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const text = cell.textContent.trim();
  if (!heads[column].classList.contains("number")) return text;
  const number = parseFloat(text);
  return Number.isNaN(number) ? -1 : number;
};
heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  head.replaceChildren(button);
  button.addEventListener("click", () => {
    const numbers = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const up = before === null ? !numbers : before === "descending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = rows.map((row) => [key(row, column), row]);
    keyed.sort(([a], [b]) => (numbers ? a - b : a.localeCompare(b)) * (up ? 1 : -1));
    body.append(...keyed.map(([, row]) => row));
  });
});
const tools = document.createElement("div");
tools.className = "tools";
const labelled = (text, control) => {
  const label = document.createElement("label");
  label.append(`${text} `, control);
  tools.append(label);
  return control;
};
const search = labelled("Search", document.createElement("input"));
search.type = "search";
const status = labelled("Status", document.createElement("select"));
const column = heads.findIndex((head) => head.textContent === "status");
const word = (row) => row.cells[column].textContent.trim();
status.append(new Option("all", ""), ...[...new Set(rows.map(word))].sort().map((s) => new Option(s, s)));
const shown = document.createElement("output");
tools.append(shown);
const texts = rows.map((row) => row.textContent.toLowerCase());
const filter = () => {
  const wanted = search.value.toLowerCase();
  let count = 0;
  rows.forEach((row, n) => {
    row.hidden = !texts[n].includes(wanted) || (status.value !== "" && word(row) !== status.value);
    count += row.hidden ? 0 : 1;
  });
  shown.textContent = count === rows.length ? "" : `${count} of ${rows.length}`;
};
search.addEventListener("input", filter);
status.addEventListener("change", filter);
table.caption.append(" Click a heading to sort.");
table.closest(".scroll").before(tools);
