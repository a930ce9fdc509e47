// Block Kit as Slack's client draws it: messages, buttons, menus, and the windows that a click opens.
import { Keyed, atEnd, el, post, showNewest, time } from "/demo/dom.js";

const EMOJI = { warning: "⚠️", white_check_mark: "✅", no_entry: "⛔", bell: "🔔", hourglass: "⌛" };
const INLINE =
  /`([^`\n]+)`|<([^<>\n]+)>|(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*\S)\*(?![\p{L}\p{N}*])|(?<![\p{L}\p{N}_])_(?=\S)([^_\n]*\S)_(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}~])~(?=\S)([^~\n]*\S)~(?![\p{L}\p{N}~])|:([a-z_]+):/u;

const shown = document.getElementById("slack-feed");
const messages = new Keyed(shown, message);
const nothing = el("p", { class: "empty" }, "Nothing yet. Press ", el("b", {}, "A destructive action was blocked"), " above, and answer here.");
let drawnModal = "";

export function drawSlack(pane) {
  const follow = atEnd(shown);
  nothing.remove();
  const news = messages.show(pane.messages);
  if (!pane.messages.length) shown.append(nothing);
  const arrived = news.filter((each) => each.first);
  if (arrived.length) showNewest(shown, arrived);
  else if (news.length && follow) shown.scrollTop = shown.scrollHeight;
  document.getElementById("slack-status").textContent = pane.status ? `gatebell ${pane.status}` : "";
  drawModal(pane.modal);
  return news;
}

export function wireSlack() {
  const form = document.getElementById("slack-say");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.querySelector("input");
    if (text.value.trim()) post("/demo/slack/say", { text: text.value });
    text.value = "";
  });
}

function message(given) {
  const who = given.bot
    ? [el("strong", {}, "gatebell"), el("span", { class: "slack-badge" }, "APP")]
    : [el("strong", {}, "Ana Lima")];
  const blocks = given.blocks.length ? drawBlocks(given.blocks, given) : el("div", { class: "bk" }, mrkdwn(given.text));
  const attachments = given.attachments.map((each) => attachment(each, given));
  return el(
    "article",
    { class: "slack-message" + (given.private ? " private" : ""), "aria-label": given.bot ? "Message from gatebell" : "Message from Ana" },
    el("span", { class: given.bot ? "slack-avatar" : "slack-avatar person", "aria-hidden": "true" }, given.bot ? "" : "A"),
    el(
      "div",
      { class: "slack-body" },
      given.private ? el("p", { class: "slack-private" }, "Only visible to you") : "",
      el("p", { class: "slack-who" }, who, el("time", {}, time(given.at)), given.edited ? el("span", { class: "slack-edited" }, "(edited)") : ""),
      given.blocks.length || given.text ? blocks : "",
      attachments,
    ),
  );
}

function attachment(given, owner) {
  const made = el("div", { class: "slack-attachment" }, drawBlocks(given.blocks ?? [], owner));
  made.style.setProperty("--bar", given.color ?? "var(--s-line)");
  return made;
}

function drawBlocks(blocks, owner) {
  return el("div", { class: "bk" }, blocks.map((each) => block(each, owner)));
}

function block(given, owner) {
  switch (given.type) {
    case "header":
      return el("h3", { class: "bk-header" }, emoji(given.text.text));
    case "section":
      return el(
        "div",
        { class: "bk-section" },
        given.text ? el("div", {}, text(given.text)) : "",
        given.fields ? el("div", { class: "bk-fields" }, given.fields.map((each) => el("div", {}, text(each)))) : "",
      );
    case "context":
      return el("div", { class: "bk-context" }, given.elements.map((each) => el("span", {}, text(each))));
    case "divider":
      return el("hr", {});
    case "markdown":
      return el("div", { class: "bk-section" }, given.text);
    case "actions":
      return el("div", { class: "bk-actions" }, given.elements.map((each) => control(each, given, owner)));
    case "input":
      return input(given);
    default:
      return el("p", { class: "bk-context" }, `(${given.type})`);
  }
}

function control(given, holder, owner) {
  if (given.type === "button") {
    const button = el("button", { type: "button", class: `bk-button ${given.style ?? ""}` }, emoji(given.text.text));
    button.addEventListener("click", () => press(button, { message: owner.id, action: given.action_id }));
    if (/^https?:/.test(given.url ?? "")) button.addEventListener("click", () => window.open(given.url, "_blank", "noopener"));
    return button;
  }
  if (given.type !== "static_select") return el("span", {}, `(${given.type})`);
  const label = given.placeholder?.text ?? "Choose one";
  const menu = el("select", { class: "bk-select", "aria-label": label }, el("option", { value: "" }, label), options(given));
  menu.addEventListener("change", () => {
    if (menu.value) press(menu, { message: owner.id, action: given.action_id, option: menu.value });
  });
  return menu;
}

async function press(element, body) {
  element.disabled = true;
  element.classList.add("busy");
  await post("/demo/slack/click", body);
  element.disabled = false;
  element.classList.remove("busy");
}

function options(given) {
  const one = (each) => el("option", { value: each.value }, each.text.text);
  if (given.options) return given.options.map(one);
  return given.option_groups.map((group) => el("optgroup", { label: group.label.text }, group.options.map(one)));
}

// ---- windows ----

function drawModal(modal) {
  const veil = document.getElementById("slack-modal");
  const json = JSON.stringify(modal);
  if (json === drawnModal) return;
  drawnModal = json;
  const typed = modal && veil.dataset.view === modal.id ? values(veil) : {};
  veil.replaceChildren();
  veil.hidden = !modal;
  if (!modal) return;
  veil.dataset.view = modal.id;
  const form = el(
    "form",
    { novalidate: true },
    el("header", {}, el("h3", { id: "slack-window-title" }, modal.title), el("button", { type: "button", class: "slack-x", "aria-label": "Close this window" }, "×")),
    el("div", { class: "slack-window-body" }, modal.errors[""] ? el("p", { class: "slack-error" }, modal.errors[""]) : "", modal.blocks.map((each) => block(each, {}))),
    el("footer", {}, el("button", { type: "button", class: "bk-button slack-cancel" }, modal.close), modal.submit ? el("button", { class: "bk-button primary" }, modal.submit) : ""),
  );
  const close = () => post("/demo/slack/close", { view: modal.id });
  form.querySelector(".slack-x").addEventListener("click", close);
  form.querySelector(".slack-cancel").addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Tab") stayInside(form, event);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    post("/demo/slack/submit", { view: modal.id, answers: values(veil) });
  });
  veil.append(el("div", { class: "slack-window", role: "dialog", "aria-modal": "true", "aria-labelledby": "slack-window-title" }, form));
  fillIn(veil, typed, modal.errors);
  (form.querySelector("textarea, input, select") ?? form.querySelector(".slack-cancel")).focus();
}

function stayInside(form, event) {
  const stops = [...form.querySelectorAll("button, input, textarea, select")];
  const last = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== last) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
}

function input(given) {
  const id = `in-${given.block_id}`;
  const words = el("span", { class: "bk-label" }, given.label.text, given.optional ? el("small", {}, " (optional)") : "");
  const hint = given.hint ? el("p", { class: "bk-hint" }, given.hint.text) : "";
  const kind = given.element;
  if (kind.type === "radio_buttons") {
    const radios = kind.options.map((each) =>
      el("label", { class: "bk-radio" }, el("input", { type: "radio", name: given.block_id, value: each.value }), el("span", {}, each.text.text, each.description ? el("small", {}, each.description.text) : "")),
    );
    return el("fieldset", { class: "bk-input", "data-block": given.block_id }, el("legend", {}, words), radios, hint, el("p", { class: "slack-error" }));
  }
  const field =
    kind.type === "static_select"
      ? el("select", { id, name: given.block_id }, el("option", { value: "" }, kind.placeholder?.text ?? "Choose one"), options(kind))
      : kind.multiline
        ? el("textarea", { id, name: given.block_id, rows: 3, maxlength: kind.max_length })
        : el("input", { id, name: given.block_id, maxlength: kind.max_length, autocomplete: "off" });
  return el("div", { class: "bk-input", "data-block": given.block_id }, el("label", { for: id }, words), field, hint, el("p", { class: "slack-error" }));
}

function values(veil) {
  const form = veil.querySelector("form");
  return form ? Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])) : {};
}

function fillIn(veil, typed, errors) {
  for (const [name, value] of Object.entries(typed)) {
    const field = veil.querySelector("form").elements[name];
    if (field) field.value = value;
  }
  for (const [block_id, words] of Object.entries(errors)) {
    const holder = block_id && veil.querySelector(`[data-block="${CSS.escape(block_id)}"]`);
    if (holder) holder.querySelector(".slack-error").textContent = words;
  }
}

// ---- words ----

function text(given) {
  return given.type === "mrkdwn" ? mrkdwn(given.text) : [emoji(given.text)];
}

function mrkdwn(source) {
  const parts = source.split(/```\n?([\s\S]*?)```/);
  return parts.map((part, place) => (place % 2 ? el("pre", {}, unescaped(part)) : lines(part)));
}

function lines(source) {
  const found = [];
  for (const line of source.replace(/^\n|\n$/g, "").split("\n")) {
    const quoted = /^(?:>|&gt;)\s?/.exec(line);
    const drawn = inline(quoted ? line.slice(quoted[0].length) : line);
    found.push(quoted ? el("blockquote", {}, drawn) : [found.length && !(found.at(-1) instanceof Element) ? el("br") : "", drawn]);
  }
  return source ? found : [];
}

function inline(source) {
  const found = [];
  let rest = source;
  for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    if (match.index) found.push(emoji(unescaped(rest.slice(0, match.index))));
    const [whole, code, token, bold, italic, strike, name] = match;
    if (code !== undefined) found.push(el("code", {}, unescaped(code)));
    else if (token !== undefined) found.push(special(token));
    else if (bold !== undefined) found.push(el("b", {}, inline(bold)));
    else if (italic !== undefined) found.push(el("i", {}, inline(italic)));
    else if (strike !== undefined) found.push(el("s", {}, inline(strike)));
    else found.push(EMOJI[name] ?? whole);
    rest = rest.slice(match.index + whole.length);
  }
  if (rest) found.push(unescaped(rest));
  return found;
}

function special(token) {
  const [target, label] = token.split("|", 2);
  const date = /^!date\^(\d+)\^/.exec(target);
  if (date) return day(Number(date[1]));
  if (target.startsWith("!")) return el("span", { class: "slack-mention" }, `@${label ?? target.slice(1)}`);
  if (/^[@#]/.test(target)) return el("span", { class: "slack-mention" }, label ?? target);
  if (!/^(https?:|mailto:)/.test(target)) return `<${token}>`;
  return el("a", { href: unescaped(target), target: "_blank", rel: "noreferrer" }, unescaped(label ?? target));
}

function day(seconds) {
  const at = new Date(seconds * 1000);
  const today = new Date().toDateString() === at.toDateString();
  const date = today ? "today" : at.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  return `${date} at ${time(seconds)}`;
}

function emoji(words) {
  return words.replace(/:([a-z_]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

function unescaped(words) {
  return words.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
