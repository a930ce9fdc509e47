// What happened: the agent's log, and a time line for each scenario.
import { Keyed, curly, el, time } from "/demo/dom.js";

const CHANNEL = { slack: "Slack", teams: "Teams", mail: "Mail", caller: "Callback", server: "Server", agent: "Agent" };
const ICON = { slack: "S", teams: "T", mail: "M", caller: "C", server: "G", agent: "A" };
const SHOWN = 5;
const story = document.getElementById("story");
const log = document.getElementById("log");
const runsShown = new Keyed(story, drawRun);
const logShown = new Keyed(log, drawSaid);
const emptyStory = el(
  "div",
  { class: "tries" },
  el("p", {}, "Every delivery will be explained here. Three things to try:"),
  el(
    "ol",
    {},
    el("li", {}, el("b", {}, "One decision."), " Press “A destructive action was blocked”, approve it in Slack, and watch Teams, the mail and the agent follow."),
    el("li", {}, el("b", {}, "A broken channel."), " Set Slack to “Down” and press again: Ana’s card falls through to Teams. Set Teams to “Down” too, and decide from the mail."),
    el("li", {}, el("b", {}, "A killed server."), " While a question waits, press “kill -9 the server”, then answer: nothing is lost."),
  ),
);
const emptyLog = el("p", { class: "empty" }, "No agent is waiting. Press a scenario, and see what its program sees.");
let people = {};

export function drawStory(runs, cast) {
  people = cast;
  const played = runs.filter((run) => run.scenario || run.seen.some((line) => line.kind !== "server")).slice(-SHOWN);
  emptyStory.remove();
  emptyLog.remove();
  runsShown.show([...played].reverse());
  if (!played.length) story.append(emptyStory);
  const said = runs.filter((run) => run.said.length);
  const news = logShown.show([...said].reverse());
  if (!said.length) log.append(emptyLog);
  return news;
}

function drawRun(run) {
  return el(
    "article",
    { class: "run" },
    el("header", {}, el("h3", {}, run.title), el("time", {}, time(run.at)), status(run)),
    run.copies.length ? el("ul", { class: "copies", "aria-label": "Who has a copy where" }, inOrder(run.copies).map(copy)) : "",
    el("ol", { class: "line" }, run.seen.map((line) => drawLine(line, run.at))),
  );
}

function status(run) {
  if (!run.status) return "";
  const decision = run.decision;
  if (!decision) return el("span", { class: `pill ${run.status}` }, run.status === "pending" ? "waits for an answer" : run.status);
  const look = decision.approved === false ? "no" : "yes";
  return el("span", { class: `pill ${look}` }, `${decision.approved === false ? "denied" : decision.approved ? "approved" : "answered"} by ${decision.by.split(" ")[0]}`);
}

function inOrder(copies) {
  const place = Object.keys(people);
  return [...copies].sort((one, other) => place.indexOf(one.reader) - place.indexOf(other.reader));
}

function copy(given) {
  const name = people[given.reader] ?? given.reader;
  if (given.state !== "sent" && given.state !== "failed") {
    const words = given.attempts ? " waits" : ": on its way";
    return el("li", { class: "copy waits", title: given.detail || null }, el("b", {}, name), words, given.attempts ? el("small", {}, " · tried again and again") : "");
  }
  const where = { slack: "Slack", teams: "Teams", email: "mail" }[given.channel] ?? given.channel;
  const word = given.state === "sent" ? "✓" : "✕";
  const place = { slack: "first choice", teams: "second choice", email: "third choice" }[given.channel];
  return el("li", { class: `copy ${given.state}`, title: given.detail || null }, el("b", {}, name), ` ${where} ${word}`, place ? el("small", {}, ` · ${place}`) : "");
}

function drawLine(line, start) {
  return el(
    "li",
    { class: `step ${line.kind}`, "data-channel": line.channel },
    el("span", { class: "offset" }, offset(line.at - start)),
    el("span", { class: "mark", title: CHANNEL[line.channel] ?? line.channel, "aria-hidden": "true" }, ICON[line.channel] ?? "·"),
    el("span", { class: "what" }, curly(line.text), line.detail ? el("small", {}, line.detail) : ""),
  );
}

function offset(seconds) {
  if (seconds < 0.0005) return "+0 ms";
  if (seconds < 1) return `+${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `+${seconds.toFixed(1)} s`;
  return `+${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")} min`;
}

const SIGN = { ask: "→", ok: "✓", wait: "…", press: "●", ran: "▶", stop: "■", fail: "!" };

function drawSaid(run) {
  return el(
    "article",
    { class: "task" },
    run.said.map((line) => el("p", { class: `said ${line.kind}` }, el("span", { class: "sign", "aria-hidden": "true" }, SIGN[line.kind] ?? "·"), el("span", {}, curly(line.text), line.detail ? el("small", {}, line.detail) : ""))),
  );
}
