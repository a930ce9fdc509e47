// One live picture of everything comes in; each part of the page draws what changed in its own corner.
import { curly, el, post, toast, turn } from "/demo/dom.js";
import { drawMail } from "/demo/mail.js";
import { drawSlack, wireSlack } from "/demo/slack.js";
import { drawStory } from "/demo/story.js";
import { drawTeams, wireTeams } from "/demo/teams.js";

const SAYS = {
  starting: "The server is starting",
  running: "The server is running",
  killed: "The server was killed; it is starting again",
  stopped: "The server has stopped",
};
const ICONS = {
  blocked: "M12 2 4 5.5V11c0 5 3.4 9.3 8 11 4.6-1.7 8-6 8-11V5.5Zm-3.5 8.5h7v2.5h-7Z",
  write: "m4 16.8 9.6-9.6 3.2 3.2L7.2 20H4Zm10.8-10.8 1.7-1.7a1.6 1.6 0 0 1 2.3 0l.9.9a1.6 1.6 0 0 1 0 2.3L18 9.2Z",
  choose: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm1 14h-2v-2h2Zm1.6-6c-.9.8-1.6 1.2-1.6 2.6h-2c0-2 1-2.8 1.9-3.6.6-.5 1.1-.9 1.1-1.6a2 2 0 0 0-4 0H8a4 4 0 1 1 6.6 3Z",
  token: "M14.5 3a6.5 6.5 0 0 0-6.2 8.4L3 16.7V21h4.3v-2.3h2.3v-2.3h2.1l1-1A6.5 6.5 0 1 0 14.5 3Zm1.7 6.3a1.7 1.7 0 1 1 0-3.4 1.7 1.7 0 0 1 0 3.4Z",
  storm: "M13.5 2 5 13.5h5.5L9.5 22 19 9.8h-6Z",
};
const AFTER = {
  slack: "Ana’s next card goes to Teams.",
  teams: "What would go here comes by mail.",
  mail: "It is kept, and tried again and again.",
};
const CHANNELS = ["slack", "teams", "mail"];
let drawnScenarios = "";
let show = "";
let wasKilled = false;
let switches = {};
const turning = new Map(CHANNELS.map((channel) => [channel, 0])); // how many turns of a switch are not done yet

const stream = new EventSource("/demo/live");
stream.onmessage = (event) => draw(JSON.parse(event.data));
stream.onerror = () => serverIs("stopped", "The demo has stopped. Start it again in your terminal");

wireSlack();
wireTeams();
wireTheme();
document.getElementById("kill").addEventListener("click", () => post("/demo/kill"));
for (const channel of CHANNELS) {
  const select = document.querySelector(`[data-switch="${channel}"] select`);
  select.addEventListener("change", () => turnTo(channel, select.value));
}

function draw(picture) {
  // The demo was started anew: nothing of what is drawn is there any more.
  if (show && show !== picture.server.show) location.reload();
  show = picture.server.show;
  serverIs(picture.server.state, SAYS[picture.server.state]);
  document.getElementById("kill").disabled = picture.server.state !== "running";
  drawScenarios(picture.scenarios);
  document.getElementById("scenarios").classList.toggle("fresh", !picture.runs.some((run) => run.scenario));
  switches = picture.switches;
  drawSwitches();
  const news = { Slack: drawSlack(picture.slack), Teams: drawTeams(picture.teams), Mail: drawMail(picture.mail) };
  drawStory(picture.runs, picture.people);
  announce(news);
}

function serverIs(state, words) {
  const place = document.getElementById("server");
  if (place.dataset.state === state && document.getElementById("server-says").textContent === words) return;
  place.dataset.state = state;
  document.getElementById("server-says").textContent = words;
  if (state === "killed") {
    wasKilled = true;
    say(words);
  } else if (state === "running" && wasKilled) {
    toast("Killed, and back again: nothing was lost.");
    wasKilled = false;
  }
}

function drawScenarios(scenarios) {
  const json = JSON.stringify(scenarios);
  if (json === drawnScenarios) return;
  drawnScenarios = json;
  document.getElementById("scenarios").replaceChildren(
    ...scenarios.map((each) => {
      const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      icon.setAttribute("viewBox", "0 0 24 24");
      icon.setAttribute("aria-hidden", "true");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", ICONS[each.name] ?? ICONS.choose);
      icon.append(path);
      const button = el("button", { type: "button", class: "scenario", "data-scenario": each.name }, icon, el("span", {}, el("b", {}, each.title), el("small", {}, each.meaning)));
      button.addEventListener("click", () => play(each.name));
      return button;
    }),
  );
}

async function turnTo(channel, to) {
  turning.set(channel, turning.get(channel) + 1);
  const stands = await turn(channel, to);
  turning.set(channel, turning.get(channel) - 1);
  if (!stands) drawSwitches();
}

async function play(name) {
  const panes = document.getElementById("panes");
  const started = await post(`/demo/scenarios/${name}`);
  // On a small screen what it brings would lie below the edge.
  if (started && panes.getBoundingClientRect().top > innerHeight / 2) panes.scrollIntoView();
}

function drawSwitches() {
  for (const channel of CHANNELS) {
    const holder = document.querySelector(`[data-switch="${channel}"]`);
    const select = holder.querySelector("select");
    const { now, positions } = switches[channel];
    if (!select.options.length) select.append(...Object.entries(positions).map(([value, each]) => el("option", { value }, each.label)));
    // A picture that was taken before the last turn is older than what somebody has just chosen.
    if (!turning.get(channel) && select.value !== now) select.value = now;
    holder.classList.toggle("broken", now !== "working");
    const pane = holder.closest(".pane");
    pane.classList.toggle("broken", now !== "working");
    const note = pane.querySelector(".pane-note");
    note.hidden = now === "working";
    note.textContent = now === "working" ? "" : curly(`${positions[now].meaning}. ${AFTER[channel]}`);
  }
}

function announce(news) {
  const words = Object.entries(news)
    .filter(([, each]) => each.length)
    .map(([name, each]) => (each.some((one) => one.first) ? `${name}: something new` : `${name}: updated`));
  if (words.length) say(words.join(". "));
}

function say(words) {
  document.getElementById("said").textContent = words;
}

function wireTheme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const label = () => button.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
  label();
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("gatebell-theme", root.dataset.theme);
    } catch (_) {
      // A browser that keeps nothing still changes the colours now.
    }
    label();
  });
}
