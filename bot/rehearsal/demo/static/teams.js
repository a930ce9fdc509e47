// Teams: the bubbles are ours, every card in them is drawn by Microsoft's own renderer.
import { Keyed, atEnd, el, post, showNewest, time, toast } from "/demo/dom.js";

const shown = document.getElementById("teams-feed");
const tabs = document.getElementById("teams-who");
const feeds = new Map();
const seen = new Map();
const looked = new Map();
const colours = (name) => ({ default: `var(--t-${name})`, subtle: `var(--t-${name}-soft)` });
const foreground = {
  default: colours("ink"),
  dark: colours("ink"),
  light: colours("ink"),
  accent: colours("accent"),
  good: colours("good"),
  warning: colours("warning"),
  attention: colours("attention"),
};
const container = (name) => ({ backgroundColor: `var(--t-${name}-ground)`, foregroundColors: foreground });

// As Teams does it: Segoe, eight-pixel steps, buttons in a row at the left.
const HOST = {
  supportsInteractivity: true,
  fontTypes: {
    default: { fontFamily: "var(--t-font)", fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 }, fontWeights: { lighter: 200, default: 400, bolder: 600 } },
    monospace: { fontFamily: "var(--mono)", fontSizes: { small: 12, default: 13, medium: 14, large: 16, extraLarge: 20 }, fontWeights: { lighter: 200, default: 400, bolder: 600 } },
  },
  spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 12 },
  separator: { lineThickness: 1, lineColor: "var(--t-line)" },
  containerStyles: {
    default: container("card"),
    emphasis: container("emphasis"),
    good: container("good"),
    attention: container("attention"),
    warning: container("warning"),
    accent: container("accent"),
  },
  imageSizes: { small: 32, medium: 52, large: 100 },
  actions: { maxActions: 6, spacing: "default", buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left", showCard: { actionMode: "inline", inlineTopMargin: 12, style: "emphasis" } },
  adaptiveCard: { allowCustomStyle: false },
  factSet: { title: { weight: "bolder", wrap: true, maxWidth: 130 }, value: { wrap: true }, spacing: 12 },
  textBlock: { headingLevel: 3 },
  inputs: { label: { inputSpacing: 4, requiredInputs: { weight: "bolder", suffix: " *", suffixColor: "attention" }, optionalInputs: { weight: "bolder" } }, errorMessage: { color: "attention", weight: "default" } },
};

const HOLDS = 30_000; // milliseconds for which a choice by hand stays
const NOTICED = 5_000; // and one because a card of Ana's fell through to Teams

let chosen = "ben";
let until = 0;
let last = null;

export function wireTeams() {
  const form = document.getElementById("teams-say");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.querySelector("input");
    if (text.value.trim()) post("/demo/teams/say", { who: chosen, text: text.value });
    text.value = "";
  });
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (source, result) => {
    result.outputHtml = markdown(source);
    result.didProcess = true;
  };
}

export function drawTeams(pane) {
  if (last === null) startWith(pane.chats);
  last = pane;
  follow(pane.chats);
  drawTabs(pane.chats);
  const chat = pane.chats.find((each) => each.key === chosen);
  const first = chat.owner.split(" ")[0];
  document.getElementById("teams-owner").textContent = `${first}’s screen`;
  return drawChat(chat, first);
}

// Of what was there before the page was opened, the newest.
function startWith(chats) {
  let newest = 0;
  for (const chat of chats) {
    seen.set(chat.key, chat.messages.filter((each) => each.bot).length);
    const at = chat.messages.at(-1)?.at ?? 0;
    if (at <= newest) continue;
    newest = at;
    chosen = chat.key;
  }
}

// Shows whoever got something, Ana before Ben: that hers comes here at all is what is worth seeing.
function follow(chats) {
  for (const chat of chats) {
    const bots = chat.messages.filter((each) => each.bot).length;
    const came = bots > (seen.get(chat.key) ?? 0);
    seen.set(chat.key, bots);
    if (!came || Date.now() < until) continue;
    chosen = chat.key;
    if (chat.key === "ana") until = Date.now() + NOTICED;
  }
}

function drawTabs(chats) {
  for (const chat of chats) if (chat.key === chosen || !looked.has(chat.key)) looked.set(chat.key, seen.get(chat.key) ?? 0);
  const unread = (chat) => Math.max(0, (seen.get(chat.key) ?? 0) - looked.get(chat.key));
  const json = JSON.stringify([chosen, chats.map((each) => [each.key, unread(each)])]);
  if (tabs.dataset.json === json) return;
  tabs.dataset.json = json;
  const focused = tabs.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  tabs.replaceChildren(
    ...chats.map((each) => {
      const count = unread(each);
      const name = each.owner.split(" ")[0];
      const tab = el("button", { type: "button", "aria-pressed": String(each.key === chosen), "data-key": each.key }, name, count ? el("span", { class: "count" }, String(count), el("span", { class: "sr" }, " new")) : "");
      tab.addEventListener("click", () => {
        chosen = each.key;
        until = Date.now() + HOLDS;
        drawTeams(last);
      });
      return tab;
    }),
  );
  if (focused) tabs.querySelector(`[data-key="${focused}"]`)?.focus();
}

function drawChat(chat, first) {
  let feed = feeds.get(chat.key);
  if (!feed) {
    const place = el("div", { class: "teams-chat" });
    feed = { place, list: new Keyed(place, (each, old) => bubble(each, chat.key, first)), nothing: el("p", { class: "empty" }) };
    feeds.set(chat.key, feed);
  }
  const fresh = shown.firstChild !== feed.place;
  if (fresh) shown.replaceChildren(feed.place);
  const stays = fresh || atEnd(shown);
  feed.nothing.remove();
  const news = feed.list.show(chat.messages);
  if (!chat.messages.length) {
    feed.nothing.textContent = chat.installed
      ? chat.key === "ana"
        ? "Nothing for Ana here: she has Slack. Break Slack, and her next card lands in this chat."
        : "Nothing yet. Press a scenario above; Ben’s copy lands here."
      : `${first} has removed the app, so nothing can arrive here.`;
    shown.append(feed.nothing);
  }
  feed.place.classList.toggle("typing", chat.typing);
  const arrived = news.filter((each) => each.first);
  if (arrived.length) showNewest(shown, arrived);
  else if (news.length && stays) shown.scrollTop = shown.scrollHeight;
  return news;
}

function bubble(given, who, first) {
  const head = el("p", { class: "teams-who-said" }, el("span", {}, given.bot ? "Gatebell" : first), el("time", {}, time(given.at)), given.edited ? el("span", {}, "Edited") : "");
  const content = el("div", { class: "teams-content" });
  if (given.text) content.append(el("div", { class: "teams-text" }, plain(given.text)));
  if (given.card) content.append(card(given, who));
  return el(
    "article",
    { class: `teams-bubble ${given.bot ? "" : "own"}`, "aria-label": given.bot ? "Message from Gatebell" : `Message from ${first}` },
    given.bot ? el("span", { class: "teams-avatar small", "aria-hidden": "true" }) : "",
    el("div", { class: "teams-said" }, head, content),
  );
}

function card(given, who) {
  const drawn = new AdaptiveCards.AdaptiveCard();
  drawn.hostConfig = new AdaptiveCards.HostConfig(HOST);
  drawn.onExecuteAction = (action) => act(action, given, who, place);
  drawn.parse(structuredClone(given.card));
  const place = el("div", { class: "teams-card" }, drawn.render());
  drawn.onInlineCardExpanded = (_, opened) => opened && requestAnimationFrame(() => bringUp(place));
  return place;
}

// A card that opens inside a card: into view with it, its own buttons too.
function bringUp(place) {
  const below = place.getBoundingClientRect().bottom - shown.getBoundingClientRect().bottom;
  if (below > 0) shown.scrollTop += below + 12;
}

async function act(action, given, who, place) {
  const kind = action.getJsonTypeName();
  if (kind === "Action.OpenUrl") {
    if (/^https?:/.test(action.url)) window.open(action.url, "_blank", "noopener");
    return;
  }
  if (kind !== "Action.Execute" && kind !== "Action.Submit") return;
  place.inert = true;
  place.classList.add("busy");
  const pressed = await post("/demo/teams/click", { who, message: given.id, verb: action.verb ?? "", data: action.data ?? {} });
  place.inert = false;
  place.classList.remove("busy");
  if (!pressed) toast(document.getElementById("toast").textContent);
}

// The little markdown that Teams reads in a card; everything else is only text.
function markdown(source) {
  const safe = source.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  const kept = [];
  const hold = (text) => `\u0000${kept.push(text) - 1}\u0000`;
  return safe
    .replace(/\\(&(?:lt|gt|amp|quot);|[\\`*_{}[\]()#+\-.!|~])/g, (_, sign) => hold(sign))
    .replace(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, (_, label, url) => hold(`<a href="${url}" target="_blank" rel="noreferrer">`) + label + "</a>")
    .replace(/\*\*(?=\S)([^*\n]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\*(?=\S)([^*\n]+)\*/g, "<em>$1</em>")
    .replace(/(?<![\p{L}\p{N}_])_(?=\S)([^_\n]+)_(?![\p{L}\p{N}_])/gu, "<em>$1</em>")
    .replace(/\n+/g, "<br>")
    .replace(/\u0000(\d+)\u0000/g, (_, place) => kept[place]);
}

// A message of words alone.
function plain(source) {
  const made = el("div", {});
  for (const line of source.replace(/<[^>]*>/g, "").split(/\n+/)) {
    const point = /^[-*] (.*)/.exec(line);
    if (!point) made.append(el("p", {}, words(line)));
    else if (made.lastChild?.tagName === "UL") made.lastChild.append(el("li", {}, words(point[1])));
    else made.append(el("ul", {}, el("li", {}, words(point[1]))));
  }
  return made;
}

function words(line) {
  const html = markdown(line).replace(/`([^`]+)`/g, "<code>$1</code>");
  return [...new DOMParser().parseFromString(html, "text/html").body.childNodes];
}
