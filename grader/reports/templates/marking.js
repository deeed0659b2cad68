"use strict";
// Marks are kept in this browser while one types, and leave it as a file that `grader mark` reads.
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const place = `dl-grader marks ${document.body.dataset.page}`;
const answers = $$(".answer");
let kept = { marker: "", rows: {}, items: {} };
let stored = true;
try {
  const before = JSON.parse(localStorage.getItem(place) ?? "null");
  if (before && typeof before.rows === "object" && typeof before.items === "object") kept = before;
} catch {
  stored = false;
}
const keep = () => {
  try {
    localStorage.setItem(place, JSON.stringify(kept));
    stored = true;
  } catch {
    stored = false;
  }
  $("#kept").textContent = stored ? "" : "This browser keeps nothing: save your marks before you close the page.";
};
const number = (text) => (/^\d+([.,]\d*)?$|^[.,]\d+$/.test(text.trim()) ? Number(text.trim().replace(",", ".")) : NaN);
const points = (answer) => $(".points input", answer);
const comment = (answer) => $("textarea", answer);
const limits = (answer) => [Number(answer.dataset.least), Number(answer.dataset.most)];
const wrong = (answer) => {
  const text = points(answer).value.trim();
  if (text === "") return "";
  const [least, most] = limits(answer);
  const value = number(text);
  if (Number.isNaN(value)) return "not a number; write 1.5 or 1,5";
  return value < least || value > most ? `not from ${least} to ${most}` : "";
};
const state = (answer) => {
  if (points(answer).value.trim() !== "") return wrong(answer) ? "wrong" : "marked";
  return comment(answer).value.trim() === "" ? "not marked" : "for later";
};
const colours = { marked: "passed", wrong: "failed", "for later": "partial", "not marked": "pending" };
const show = (answer) => {
  const badge = $(".state", answer);
  const now = state(answer);
  badge.textContent = now;
  badge.className = `badge state ${colours[now]}`;
  const problem = wrong(answer);
  $(".wrong", answer).textContent = problem;
  points(answer).setAttribute("aria-invalid", String(problem !== ""));
};
const progress = () => {
  const states = answers.map(state);
  const count = (word) => states.filter((one) => one === word).length;
  const rest = [["for later", count("for later")], ["wrong", count("wrong")]].filter(([, n]) => n > 0);
  $("#progress").textContent = [`${count("marked")} of ${answers.length} marked`, ...rest.map(([word, n]) => `${n} ${word}`)].join(", ");
};
const filter = () => answers.forEach((answer) => {
  answer.hidden = $("#open").checked && state(answer) === "marked" && !answer.contains(document.activeElement);
});
const changed = (answer) => {
  const chosen = $$(".item[aria-pressed=true]", answer).map((item) => item.dataset.key);
  kept.rows[answer.dataset.key] = { points: points(answer).value, comment: comment(answer).value, chosen };
  keep();
  show(answer);
  progress();
};
// An item sets the points or adds to them, and its comment is a paragraph of the mark's.
const choose = (answer, item) => {
  const pressed = item.getAttribute("aria-pressed") === "true";
  const sets = (one) => one.dataset.sets === "1";
  const text = comment(answer);
  const without = (one) => {
    one.setAttribute("aria-pressed", "false");
    if (one.dataset.comment) text.value = text.value.replace(one.dataset.comment, () => "").replace(/\n{2,}/g, "\n").trim();
  };
  if (pressed) {
    without(item);
  } else {
    if (sets(item)) $$(".item[aria-pressed=true]", answer).filter(sets).forEach(without);
    item.setAttribute("aria-pressed", "true");
    if (item.dataset.comment) text.value = [text.value.trim(), item.dataset.comment].filter(Boolean).join("\n");
  }
  const chosen = $$(".item[aria-pressed=true]", answer);
  const [least, most] = limits(answer);
  const start = chosen.filter(sets).map((one) => Number(one.dataset.points))[0] ?? least;
  const added = chosen.filter((one) => !sets(one)).reduce((sum, one) => sum + Number(one.dataset.points), 0);
  const total = Math.min(most, Math.max(least, start + added));
  points(answer).value = chosen.length > 0 ? String(Math.round(total * 1e6) / 1e6) : "";
  changed(answer);
};
const button = (item) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "item";
  made.setAttribute("aria-pressed", "false");
  Object.assign(made.dataset, { key: item.key, points: item.points, sets: "1", comment: item.comment });
  const key = document.createElement("kbd");
  key.textContent = item.key;
  const worth = document.createElement("b");
  worth.textContent = item.points;
  made.append(key, " ", worth, ` ${item.comment}`);
  return made;
};
const listen = (answer, item) => item.addEventListener("click", () => choose(answer, item));
const add = (section, item) => $$(".answer", section).forEach((answer) => {
  const made = button(item);
  listen(answer, made);
  $(".items", answer).append(made);
});
const go = (answer) => {
  if (!answer) return;
  filter();
  answer.hidden = false;
  answer.focus();
  answer.scrollIntoView({ block: "start" });
};
const step = (from, by) => {
  for (let at = from + by; at >= 0 && at < answers.length; at += by) if (!answers[at].hidden) return go(answers[at]);
  return undefined;
};
const next = (from) => {
  const order = [...answers.slice(from + 1), ...answers.slice(0, from + 1)];
  go(order.find((answer) => state(answer) === "not marked") ?? order.find((answer) => state(answer) !== "marked"));
};
const here = () => answers.findIndex((answer) => answer.contains(document.activeElement));

$(".bar-of-tools").hidden = false;
const marker = $("#marker");
marker.value = kept.marker;
marker.addEventListener("input", () => { kept.marker = marker.value; keep(); });
answers.forEach((answer) => $$(".item", answer).forEach((item) => listen(answer, item)));
$$("section").forEach((section) => (kept.items[section.id] ?? []).forEach((item) => add(section, item)));
answers.forEach((answer, at) => {
  $("fieldset", answer).hidden = false;
  const row = kept.rows[answer.dataset.key];
  if (row) {
    points(answer).value = row.points;
    comment(answer).value = row.comment;
    $$(".item", answer).forEach((item) => item.setAttribute("aria-pressed", String(row.chosen.includes(item.dataset.key))));
  }
  show(answer);
  [points(answer), comment(answer)].forEach((field) => field.addEventListener("input", () => changed(answer)));
  $(".keep", answer).addEventListener("click", () => {
    const section = answer.closest("section");
    const taken = $$(".item", answer).map((item) => item.dataset.key);
    const key = [..."123456789"].find((digit) => !taken.includes(digit));
    const given = points(answer).value.trim();
    const problem = !key ? "there are nine items already" : given === "" ? "enter points first" : wrong(answer);
    $(".wrong", answer).textContent = problem;
    if (problem) return;
    const item = { key, points: String(number(given)), comment: comment(answer).value.trim() };
    (kept.items[section.id] ??= []).push(item);
    add(section, item);
    $$(".item[aria-pressed=true]", answer).forEach((one) => one.setAttribute("aria-pressed", "false"));
    $$(".item", answer).at(-1).setAttribute("aria-pressed", "true");
    changed(answer);
  });
  answer.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { answer.focus(); return; }
    if (event.target.closest("input, textarea")) return;
    const item = $$(".item", answer).find((one) => one.dataset.key === event.key);
    if (event.key === "j") step(at, 1);
    else if (event.key === "k") step(at, -1);
    else if (event.key === "n") next(at);
    else if (item) choose(answer, item);
    else return;
    event.preventDefault();
  });
});
progress();
if (!stored) keep();
$("#open").addEventListener("change", filter);
$("#next").addEventListener("click", () => next(here()));
// A spreadsheet must not run a comment; `grader mark` takes the apostrophe away again.
const safe = (text) => ([text, text.trimStart()].some((one) => /^[=+\-@\t\r\n]/.test(one.normalize("NFKC"))) ? `'${text}` : text);
const quoted = (text) => (/[",\r\n;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const table = () => {
  const columns = document.body.dataset.columns.split(",");
  const rows = answers.map((answer) => {
    const given = points(answer).value.trim();
    const typed = { points: given === "" ? "" : String(number(given)), comment: safe(comment(answer).value.trim()), marker: safe(marker.value.trim()) };
    const known = JSON.parse(answer.dataset.row);
    if (state(answer) === "not marked") typed.marker = "";
    return columns.map((column) => quoted(typed[column] ?? known[column] ?? "")).join(",");
  });
  return `\ufeff${[columns.join(","), ...rows].join("\r\n")}\r\n`;
};
$("#save").addEventListener("click", () => {
  const bad = answers.find((answer) => wrong(answer) !== "");
  if (bad) {
    $("#kept").textContent = "Not saved: some points are wrong.";
    bad.hidden = false;
    points(bad).focus();
    return;
  }
  const link = document.createElement("a");
  const name = marker.value.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = name ? `marks-${name}.csv` : "marks.csv";
  link.click();
  $("#kept").textContent = `Saved as ${link.download}.`;
});
$("#clear").addEventListener("click", () => {
  if (!window.confirm("Forget all that was typed on this page?")) return;
  try { localStorage.removeItem(place); } catch { /* it kept nothing */ }
  window.removeEventListener("beforeunload", warn);
  location.reload();
});
const warn = (event) => { if (!stored) event.preventDefault(); };
window.addEventListener("beforeunload", warn);
