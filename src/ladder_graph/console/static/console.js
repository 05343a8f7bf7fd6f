// What a page can do without this script, it does. The script only adds: live counts, the clock, and how a decision came.
"use strict";

const base = document.body.dataset.base || "";

// --- the clock: what is left, each second; a screen reader hears it at five minutes, at one, and at the end ----------
function left(seconds) {
  if (seconds <= 0) return "0:00";
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
  const two = (n) => String(n).padStart(2, "0");
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours ? `${hours}:${two(minutes)}:${two(Math.floor(seconds % 60))}` : `${minutes}:${two(Math.floor(seconds % 60))}`;
}

for (const clock of document.querySelectorAll("[data-deadline]")) {
  const shown = clock.querySelector("strong"), said = document.getElementById(clock.dataset.said || "");
  // By the server's clock: this machine's may be wrong.
  const ahead = Date.parse(clock.dataset.now) - Date.now(), until = Date.parse(clock.dataset.deadline);
  const marks = [[300, "Five minutes left to answer."], [60, "One minute left to answer."], [0, clock.dataset.over || ""]];
  let before = Infinity;
  const tick = () => {
    const seconds = (until - Date.now() - ahead) / 1000;
    shown.textContent = left(seconds);
    for (const [mark, words] of marks) {
      if (said && seconds <= mark && before > mark && before !== Infinity) said.textContent = words;
    }
    if (seconds <= 0) {
      clock.classList.add("over");
      clearInterval(timer);
    }
    before = seconds;
  };
  const timer = setInterval(tick, 1000);
  tick();
}

// --- counts in the bar ------------------------------------------------------------------------------------------
const counts = document.querySelectorAll("[data-count]");
async function recount() {
  if (document.hidden) return;
  try {
    const answer = await fetch(`${base}/counts`, { headers: { accept: "application/json" }, redirect: "error" });
    if (!answer.ok) return;
    const found = await answer.json();
    for (const one of counts) {
      const now = String(found[one.dataset.count] ?? "");
      if (one.firstChild && one.firstChild.textContent !== now) one.firstChild.textContent = now;
    }
  } catch { /* It is asked again. */ }
}
if (counts.length) setInterval(recount, 15000);

// --- how a decision came: by keyboard or pointer, and how long the page was really looked at --------------------------
let input = "", seen = 0, since = document.hidden ? null : performance.now();
const looked = () => seen + (since === null ? 0 : performance.now() - since);
document.addEventListener("visibilitychange", () => {
  if (document.hidden && since !== null) { seen += performance.now() - since; since = null; }
  else if (!document.hidden && since === null) since = performance.now();
});
document.addEventListener("pointerdown", () => { input = "pointer"; }, true);
document.addEventListener("keydown", () => { input = "keyboard"; }, true);
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    const put = (name, value) => { const field = form.elements.namedItem(name); if (field) field.value = value; };
    put("input", input);
    put("looked", (looked() / 1000).toFixed(1));
    // A second click sends nothing: the first is on its way.
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}
// Enter in a field of a decision presses no button: an answer is given by one that was chosen.
for (const form of document.querySelectorAll("form.decision, form.edit, form.batch")) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target instanceof HTMLInputElement && event.target.type !== "submit") event.preventDefault();
  });
}
// Whoever comes back to a page by the back button may send it again.
window.addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form")) delete form.dataset.sent; });
