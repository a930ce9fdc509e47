// Small tools for building elements; words from outside only ever become text.

export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

let turned = Promise.resolve(); // once every switch that was turned stands where it should

// Requests overtake each other: whatever is pressed after a switch meets what the switch did.
export async function post(path, body = {}) {
  await turned;
  return send(path, body);
}

export function turn(channel, to) {
  turned = turned.then(() => send(`/demo/switches/${channel}`, { to }));
  return turned;
}

async function send(path, body) {
  try {
    const reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await reply.json();
    if (answer.words) toast(answer.words);
    return reply.ok && !answer.words;
  } catch (_) {
    toast("The demo itself does not answer. Is it still running in your terminal?");
    return false;
  }
}

// The page's own apostrophes look alike, whether they come from the script or from the server.
export function curly(words) {
  return words.replace(/(?<=\p{L})'/gu, "’");
}

let fading;

export function toast(words) {
  const place = document.getElementById("toast");
  place.textContent = curly(words);
  place.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (place.hidden = true), 6000);
}

// Draws a list again where it changed: what stayed the same keeps its element, its focus and its place.
export class Keyed {
  constructor(container, draw) {
    this.container = container;
    this.draw = draw;
    this.drawn = new Map();
  }

  show(items, extra = "") {
    const wanted = new Set(items.map((item) => String(item.id)));
    for (const [id, old] of this.drawn) {
      if (!wanted.has(id)) {
        old.element.remove();
        this.drawn.delete(id);
      }
    }
    const news = [];
    let before = null;
    for (const item of items) {
      const id = String(item.id);
      const json = JSON.stringify(item) + extra;
      const old = this.drawn.get(id);
      let element = old?.element;
      if (!old || old.json !== json) {
        element = this.draw(item, old?.element);
        if (old) {
          keepFocus(old.element, element);
          old.element.replaceWith(element);
        }
        element.classList.add(old ? "changed" : "new");
        this.drawn.set(id, { json, element });
        news.push({ item, element, first: !old });
      }
      const place = before ? before.nextSibling : this.container.firstChild;
      if (place !== element) this.container.insertBefore(element, place);
      before = element;
    }
    return news;
  }
}

// A card that is drawn anew under somebody's finger: the focus stays in it.
function keepFocus(old, made) {
  if (!old.contains(document.activeElement)) return;
  made.tabIndex = -1;
  requestAnimationFrame(() => made.focus({ preventScroll: true }));
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function time(seconds) {
  return clock.format(new Date(seconds * 1000));
}

export function atEnd(feed) {
  return feed.scrollHeight - feed.scrollTop - feed.clientHeight < 80;
}

// To the newest message; of one that is taller than the feed, its beginning is what is shown.
export function showNewest(feed, news) {
  // Not by its rectangle, which still moves while it arrives.
  feed.scrollTop = news.at(-1).element.offsetTop - feed.offsetTop - 6;
}
