"use strict";
document.documentElement.classList.add("js");
const table = document.getElementById("class");
const bodies = [...table.tBodies];
const find = document.getElementById("find");
const only = document.getElementById("only");

function open(body, opened) {
  body.classList.toggle("open", opened);
  body.querySelector(".more").setAttribute("aria-expanded", opened);
}

function key(body, column) {
  const cell = body.rows[0].cells[column];
  if (column === 0) return cell.textContent.trim().toLowerCase();
  return cell.dataset.key === undefined || cell.dataset.key === "" ? -1 : Number(cell.dataset.key);
}

function sort(header, column) {
  const [first, second] = column ? ["descending", "ascending"] : ["ascending", "descending"];
  const direction = header.getAttribute("aria-sort") === first ? second : first;
  const order = direction === "ascending" ? 1 : -1;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);
  const keys = new Map(bodies.map((body) => [body, key(body, column)]));
  bodies.sort((a, b) => order * (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0));
  table.append(...bodies);
}

function filter() {
  const wanted = find.value.trim().toLowerCase();
  let shown = 0;
  for (const body of bodies) {
    const standing = only.value === "" || (only.value === "!" ? "noted" in body.dataset : body.dataset.standing === only.value);
    body.hidden = !(standing && key(body, 0).includes(wanted));
    shown += !body.hidden;
  }
  document.getElementById("count").textContent = shown === bodies.length ? "" : `${shown} / ${bodies.length}`;
}

table.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.column) sort(button.parentElement, Number(button.dataset.column));
  else open(button.closest("tbody"), !button.closest("tbody").classList.contains("open"));
});
find.addEventListener("input", filter);
only.addEventListener("change", filter);
document.getElementById("open-all").addEventListener("click", () => {
  const opened = !bodies.every((body) => body.classList.contains("open"));
  for (const body of bodies) open(body, opened);
});
function follow() {
  const target = document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "TBODY") open(target, true);
}
window.addEventListener("hashchange", follow);
follow();
