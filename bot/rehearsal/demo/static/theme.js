// Before anything is drawn, so that the page does not flash in the other colours.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("gatebell-theme");
  } catch (_) {
    chosen = null;
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
