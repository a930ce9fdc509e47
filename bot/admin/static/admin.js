// Times in the reader's own zone, said as the page says them in UTC, and buttons that copy.
// Without script the words in the page are UTC, and the fields can be copied by hand.
"use strict";

const parts = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
});
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const steps = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const step = steps.find(([, length]) => Math.abs(seconds) >= length);
  return step ? relative.format(Math.trunc(seconds / step[1]), step[0]) : seconds > 0 ? "in a moment" : "just now";
}

function said(at) {
  const { day, month, year, hour, minute, second, timeZoneName } = Object.fromEntries(
    parts.formatToParts(at).map(({ type, value }) => [type, value]),
  );
  const words = `${day} ${month} ${year}, ${hour}:${minute}`;
  return { short: `${words} ${timeZoneName}`, exact: `${words}:${second} ${timeZoneName}` };
}

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.dataset.utc ??= time.textContent;
    const { short, exact } = said(at);
    time.textContent = short;
    time.title = `${ago(at)}, ${exact} (${time.dataset.utc})`;
  }
}

function readyToCopy(root) {
  for (const button of root.querySelectorAll("button[data-copy][hidden]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      const written = navigator.clipboard?.writeText(field.value).then(() => true, () => false);
      button.firstChild.data = (await written) ?? document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
      setTimeout(() => (button.firstChild.data = "Copy"), 2000);
    });
  }
}

localise(document);
readyToCopy(document);
setInterval(() => localise(document), 60_000);
document.addEventListener("htmx:afterSwap", (event) => localise(event.target));
