/* Rows that are chosen in a form: how many there are is said on its button, which waits for the first one;
   a click with the shift key chooses everything between two rows. Without this the form works as well. */
"use strict";

(() => {
  for (const form of document.querySelectorAll("form[data-choosing]")) {
    const boxes = [...form.querySelectorAll("input[type=checkbox][name=row]")];
    const button = form.querySelector("[data-choosing-button]");
    if (!boxes.length || !button) continue;
    const text = button.textContent.trim();
    let last = null;

    const tell = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      button.disabled = chosen === 0;
      button.textContent = chosen ? `${text} (${chosen})` : text;
      for (const box of boxes) box.closest("tr").classList.toggle("selected", box.checked);
    };

    for (const table of form.querySelectorAll("table")) {
      const own = [...table.querySelectorAll("input[type=checkbox][name=row]")];
      const head = table.querySelector("thead th");
      const all = document.createElement("input");
      all.type = "checkbox";
      all.setAttribute("aria-label", head.textContent.trim());
      head.replaceChildren(all);
      all.addEventListener("change", () => {
        for (const box of own) box.checked = all.checked;
        tell();
      });
      table.addEventListener("change", () => {
        const chosen = own.filter((box) => box.checked).length;
        all.checked = chosen === own.length;
        all.indeterminate = chosen > 0 && chosen < own.length;
      });
    }

    form.addEventListener("click", (event) => {
      const at = boxes.indexOf(event.target);
      if (at < 0) return;
      if (event.shiftKey && last !== null) {
        for (let n = Math.min(at, last); n <= Math.max(at, last); n += 1) boxes[n].checked = boxes[at].checked;
      }
      last = at;
      tell();
    });
    form.addEventListener("change", tell);
    window.addEventListener("pageshow", tell);
    tell();
  }
})();
