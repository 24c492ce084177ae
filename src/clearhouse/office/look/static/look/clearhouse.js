// What pages do besides what they do without any script: they can be read and posted without.
(() => {
  "use strict";

  // The style sheet keeps the menu open where this has not run.
  document.documentElement.classList.add("ch-js");

  // Whoever sent a form with errors is taken to the list of them.
  const focusErrors = (root) => root.querySelector("[data-focus]")?.focus();

  // A menu closes on Escape and when something else is chosen.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll(".ch-menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };

  document.addEventListener("DOMContentLoaded", () => focusErrors(document));
  document.addEventListener("htmx:afterSettle", (event) => focusErrors(event.target));
  document.addEventListener("click", (event) => closeMenus(event.target.closest(".ch-menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest(".ch-menu[open]");
    closeMenus(null);
    menu?.querySelector("summary").focus();
  });
})();
