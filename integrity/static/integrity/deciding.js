// Deciding, made smoother: a second click does nothing, and fields that do not matter step back.
// The server refuses a plan that is asked for twice, and works out fields by itself: nothing depends on this.
"use strict";

document.querySelectorAll("form[data-once]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
  });
});
window.addEventListener("pageshow", (event) => {
  // A page that comes back is a new one; one that has only now arrived whole may be on its way already.
  if (!event.persisted) return;
  document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent);
});

const CHOICES = {
  where: { row: ["to"] },
  how: { list: ["pairs", "file"] },
  action: { merge: ["fill"], rename: ["rename"] },
  survivor: { column: ["column"] },
};

Object.entries(CHOICES).forEach(([name, answers]) => {
  const radios = document.querySelectorAll(`input[type=radio][name=${name}]`);
  if (!radios.length) return;
  const show = () => {
    const chosen = [...radios].find((radio) => radio.checked)?.value;
    Object.entries(answers).forEach(([answer, fields]) =>
      fields.forEach((field) => {
        const row = document.querySelector(`.integrity-field-${field}`);
        if (row) row.hidden = answer !== chosen;
      }),
    );
  };
  radios.forEach((radio) => radio.addEventListener("change", show));
  show();
});
