"use strict";
// Whenever the choice changes, what it becomes is shown anew; without this there is a button for it.
(() => {
  const form = document.getElementById("integrity-choice");
  if (!form) {
    return;
  }
  document.documentElement.classList.add("integrity-js");
  let asked = 0;

  async function show() {
    const number = ++asked;
    const preview = document.getElementById("integrity-preview");
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    preview.classList.add("integrity-stale");
    preview.setAttribute("aria-busy", "true");
    preview.querySelectorAll("input[type=submit]").forEach((button) => { button.disabled = true; });
    const answer = await fetch(url, { credentials: "same-origin" });
    if (number !== asked) {
      return;
    }
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
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

  let waiting;
  form.addEventListener("change", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => { show().catch(() => form.submit()); }, 250);
  });
})();
