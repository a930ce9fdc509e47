// The Teams card by Microsoft's own renderer, and the mail in its full height. Without script both say what they are.
"use strict";

const colours = (name) => ({ default: `var(--teams-${name})`, subtle: `var(--teams-${name})` });
const foreground = Object.fromEntries(
  ["default", "dark", "light", "accent", "good", "warning", "attention"].map((each) => [each, colours(["dark", "light"].includes(each) ? "default" : each)]),
);
const container = (name) => ({ backgroundColor: `var(--teams-${name}-ground)`, foregroundColors: foreground });
const HOST = {
  supportsInteractivity: true,
  fontTypes: { default: { fontFamily: "var(--font)" }, monospace: { fontFamily: "var(--mono)" } },
  containerStyles: Object.fromEntries(["default", "emphasis", "good", "attention", "warning", "accent"].map((each) => [each, container(each)])),
  actions: { maxActions: 6, buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left", showCard: { actionMode: "inline", inlineTopMargin: 12, style: "emphasis" } },
  factSet: { title: { weight: "bolder", wrap: true, maxWidth: 110 }, value: { wrap: true }, spacing: 12 },
  textBlock: { headingLevel: 3 },
};

// Teams reads a little markdown; a preview shows the words and their marks as they are.
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (source, result) => {
  const made = document.createElement("div");
  made.textContent = source.replaceAll(/\\([\\`*_{}[\]()#+\-.!|~])/g, "$1");
  result.outputHtml = made.innerHTML.replaceAll(/\*\*([^*<]+)\*\*/g, "<strong>$1</strong>");
  result.didProcess = true;
};

for (const place of document.querySelectorAll("[data-card]")) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig(HOST);
  card.onExecuteAction = () => undefined;
  card.parse(JSON.parse(place.dataset.card));
  place.replaceChildren(card.render());
}

// The whole mail, without a second bar to scroll: it is a page of our own that runs nothing.
for (const frame of document.querySelectorAll(".mail-preview")) {
  const fit = () => {
    const sheet = frame.contentDocument?.documentElement;
    if (sheet) frame.style.height = `${sheet.offsetHeight + 2}px`;
  };
  frame.addEventListener("load", fit);
  new ResizeObserver(fit).observe(frame.parentElement);
  fit();
}
