"use strict";
// Whenever the choice changes, what it becomes is shown anew; without this there is a button for it.
(() => {
  const form = document.getElementById("integrity-choice");
  if (!form) {
    return;
  }
  document.documentElement.classList.add("integrity-js");
  const preview = document.getElementById("integrity-preview");
  let changes = 0, waiting;

  // What is shown is not the choice any more: it cannot be written, and an answer that is on its way comes too late.
  function outdate() {
    changes += 1;
    preview.classList.add("integrity-stale");
    preview.setAttribute("aria-busy", "true");
    preview.querySelectorAll("input[type=submit], button").forEach((button) => { button.disabled = true; });
  }

  async function show() {
    const shown = changes;
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    const answer = await fetch(url, { credentials: "same-origin" });
    const text = answer.ok ? await answer.text() : "";
    if (shown !== changes) {
      return;
    }
    const fresh = text && new DOMParser().parseFromString(text, "text/html");
    const found = fresh && fresh.getElementById("integrity-preview");
    if (!found) {
      window.location.assign(url);
      return;
    }
    preview.replaceChildren(...found.childNodes);
    preview.classList.remove("integrity-stale");
    preview.removeAttribute("aria-busy");
    const needed = new Set([...fresh.querySelectorAll("#integrity-choice [name=fix]:checked")].map((box) => box.value));
    form.querySelectorAll("[name=fix]").forEach((box) => { box.checked = needed.has(box.value); });
    fresh.querySelectorAll(".integrity-fix-why").forEach((why) => { document.getElementById(why.id).replaceWith(why); });
    window.history.replaceState(null, "", url);
  }

  form.addEventListener("change", () => {
    outdate();
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => { show().catch(() => form.submit()); }, 250);
  });
})();
