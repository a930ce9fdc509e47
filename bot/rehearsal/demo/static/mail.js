// A mailbox that holds everybody's mail, so that it can be seen who got which.
import { Keyed, el, time } from "/demo/dom.js";

const list = document.getElementById("mail-list");
const open = document.getElementById("mail-open");
const items = new Keyed(list, item);
const nothing = el("li", { class: "empty" }, "No mail yet. Mia’s copy lands here; break Slack and Teams, and everybody’s does.");
const read = new Set();
let chosen = null;
let newest = -1;
let asText = false;
let letters = [];

export function drawMail(pane) {
  letters = pane.letters;
  const last = letters.at(-1);
  if (last && last.id > newest) {
    newest = last.id;
    chosen = preferred();
  }
  nothing.remove();
  const shown = [...letters].reverse();
  const news = items.show(shown, "").filter((each) => each.first);
  if (!shown.length) list.append(nothing);
  mark();
  drawOpen();
  return news;
}

// Of what came last, Mia's: the others only get mail when their own channels are broken.
function preferred() {
  const fresh = letters.slice(-3).filter((each) => each.at > letters.at(-1).at - 2);
  return (fresh.findLast((each) => each.to.some((name) => name.startsWith("Mia"))) ?? letters.at(-1)).id;
}

function item(given) {
  const first = given.to.map((name) => name.split(" ")[0]).join(", ");
  const button = el(
    "button",
    { type: "button", class: "mail-item" },
    el("span", { class: "mail-avatar", "data-who": first, "aria-hidden": "true" }, first[0]),
    el("span", { class: "mail-lines" }, el("span", { class: "mail-to" }, el("b", {}, `To ${first}`), el("time", {}, time(given.at))), el("span", { class: "mail-subject" }, given.subject)),
  );
  button.addEventListener("click", () => {
    chosen = given.id;
    mark();
    drawOpen();
  });
  return el("li", { "data-id": given.id }, button);
}

function mark() {
  if (chosen !== null) read.add(chosen);
  for (const each of list.querySelectorAll("li[data-id]")) {
    const id = Number(each.dataset.id);
    each.classList.toggle("read", read.has(id));
    each.querySelector("button").setAttribute("aria-current", String(id === chosen));
  }
}

function drawOpen() {
  const letter = letters.find((each) => each.id === chosen);
  const key = letter ? `${letter.id} ${asText}` : "";
  if (open.dataset.key === key) return;
  open.dataset.key = key;
  if (!letter) {
    open.replaceChildren();
    return;
  }
  const toggle = el("button", { type: "button", class: "mail-toggle", "aria-pressed": String(asText) }, "Plain text");
  toggle.addEventListener("click", () => {
    asText = !asText;
    drawOpen();
    open.querySelector(".mail-toggle").focus();
  });
  const body = asText
    ? el("pre", { class: "mail-text", tabindex: "0" }, linked(letter.text))
    : el("iframe", { class: "mail-frame", title: `The mail “${letter.subject}”`, sandbox: "allow-same-origin allow-popups allow-popups-to-escape-sandbox", src: `/demo/mail/${letter.id}` });
  open.replaceChildren(
    el("header", { class: "mail-head" }, el("h3", {}, letter.subject), el("p", {}, el("span", {}, letter.from.replace(/<.*>/, "").replaceAll('"', "").trim() || letter.from), " to ", el("span", {}, letter.to.join(", "))), toggle),
    body,
  );
}

function linked(text) {
  return text.split(/(https?:\/\/[^\s<>")]+)/).map((part, place) => (place % 2 ? el("a", { href: part, target: "_blank", rel: "noreferrer" }, part) : part));
}
