// Times in the reader's own zone, with how long ago; the words in the page are UTC for whoever runs no script.
"use strict";

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const steps = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const step = steps.find(([, length]) => Math.abs(seconds) >= length);
  return step ? relative.format(Math.trunc(seconds / step[1]), step[0]) : relative.format(0, "second");
}

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (!time.title) time.title = time.textContent;
    time.textContent = Math.abs(at - Date.now()) < 7 * 86400 * 1000 ? ago(at) : absolute.format(at);
    time.title = `${absolute.format(at)} (${time.title.split(" (").pop().replace(/\)$/, "")})`;
  }
}

localise(document);
setInterval(() => localise(document), 60_000);
document.addEventListener("htmx:afterSwap", (event) => localise(event.target));
