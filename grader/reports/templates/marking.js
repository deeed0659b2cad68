"use strict";
// Marks are kept in this browser while one types, and leave it as a file that `grader mark` reads.
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const place = `dl-grader marks ${document.body.dataset.page}`;
const answers = $$(".answer");
const keyed = (answer) => answer.dataset.key;
let stored = true;
// Each value has a place of its own: what one types is written at once, however large the class.
const recall = (name, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(`${place} ${name}`)) ?? otherwise;
  } catch {
    stored = false;
    return otherwise;
  }
};
const keep = (name, value) => {
  try {
    localStorage.setItem(`${place} ${name}`, JSON.stringify(value));
  } catch {
    stored = false;
  }
  if (!stored) $("#kept").textContent = "This browser keeps nothing: save your marks before you close the page.";
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
  if (points(answer).value.trim() !== "") return wrong(answer) ? "wrong points" : "marked";
  return comment(answer).value.trim() === "" ? "not marked" : "for later";
};
const colours = { marked: "passed", "wrong points": "failed", "for later": "partial", "not marked": "pending" };
const states = new Map();
const show = (answer) => {
  const now = state(answer);
  if (states.get(answer) === now && now !== "wrong points") return;
  states.set(answer, now);
  const badge = $(".state", answer);
  badge.textContent = now;
  badge.className = `badge state ${colours[now]}`;
  const problem = wrong(answer);
  $(".wrong", answer).textContent = problem;
  points(answer).setAttribute("aria-invalid", String(problem !== ""));
};
const progress = () => {
  const count = (word) => [...states.values()].filter((one) => one === word).length;
  const rest = [["for later", count("for later")], ["with wrong points", count("wrong points")]].filter(([, n]) => n > 0);
  $("#progress").textContent = [`${count("marked")} of ${answers.length} marked`, ...rest.map(([word, n]) => `${n} ${word}`)].join(", ");
};
const filter = () => answers.forEach((answer) => {
  answer.hidden = $("#open").checked && state(answer) === "marked" && !answer.contains(document.activeElement);
});
const changed = (answer) => {
  const chosen = $$(".item[aria-pressed=true]", answer).map((item) => item.dataset.key);
  keep(keyed(answer), { points: points(answer).value, comment: comment(answer).value, chosen });
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
marker.value = recall("marker", "");
marker.addEventListener("input", () => keep("marker", marker.value));
answers.forEach((answer) => $$(".item", answer).forEach((item) => listen(answer, item)));
const own = new Map($$("section").map((section) => [section, recall(`items ${section.id}`, [])]));
own.forEach((items, section) => items.forEach((item) => add(section, item)));
answers.forEach((answer, at) => {
  $("fieldset", answer).hidden = false;
  const row = recall(keyed(answer), null);
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
    own.get(section).push(item);
    keep(`items ${section.id}`, own.get(section));
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
if (!stored) keep("marker", marker.value);
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
// A file of marks, such as one in which two people must settle something, fills in what is empty here.
const separator = (head) => [",", ";", "\t"].sort((a, b) => head.split(b).length - head.split(a).length)[0];
const parsed = (text) => {
  const by = separator(text.split(/[\r\n]/, 1)[0]);
  const rows = [[""]];
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    const row = rows.at(-1);
    if (char === '"' && inside && text[at + 1] === '"') row[row.length - 1] += text[(at += 1)];
    else if (char === '"') inside = !inside;
    else if (inside) row[row.length - 1] += char;
    else if (char === by) row.push("");
    else if (char === "\n") rows.push([""]);
    else if (char !== "\r") row[row.length - 1] += char;
  }
  return rows.filter((row) => row.some((cell) => cell !== ""));
};
const unsafe = (text) => (text.startsWith("'") && safe(text.slice(1)) === text ? text.slice(1) : text);
const open = (name, text) => {
  const [head, ...rows] = parsed(text);
  const columns = (head ?? []).map((cell) => cell.trim().toLowerCase());
  const counts = { "filled in": 0, "left as typed here": 0, "without an answer here": 0 };
  rows.forEach((cells) => {
    const row = Object.fromEntries(columns.map((column, at) => [column, (cells[at] ?? "").trim()]));
    if (!row.points && !row.comment) return;
    const answer = answers.find((one) => {
      const known = JSON.parse(one.dataset.row);
      return known.submission === row.submission && known.check === row.check && (!row.sha256 || row.sha256 === known.sha256);
    });
    const given = [row.points ?? "", unsafe(row.comment ?? "")];
    if (!answer) counts["without an answer here"] += 1;
    else if (state(answer) !== "not marked") counts["left as typed here"] += 1;
    else {
      [points(answer).value, comment(answer).value] = given;
      counts["filled in"] += 1;
      changed(answer);
    }
  });
  $("#kept").textContent = `Opened ${name}: ${Object.entries(counts).map(([word, n]) => `${n} ${word}`).join(", ")}.`;
  filter();
};
$("#choose").addEventListener("click", () => $("#load").click());
$("#load").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) open(file.name, await file.text());
  event.target.value = "";
});
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
  try {
    Object.keys(localStorage).filter((name) => name.startsWith(`${place} `)).forEach((name) => localStorage.removeItem(name));
  } catch { /* it kept nothing */ }
  window.removeEventListener("beforeunload", warn);
  location.reload();
});
const warn = (event) => { if (!stored) event.preventDefault(); };
window.addEventListener("beforeunload", warn);
