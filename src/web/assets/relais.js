// Helps; nothing needs it. It stores nothing and sends nothing by itself.
"use strict";

// Leave quickly: Shift three times within a second and a half. The open form goes along, so that its text is kept for its author.
const leave = document.getElementById("leave");
if (leave) {
  let presses = [];
  // Whether somebody wrote or chose something in a form.
  const touched = (form) =>
    [...form.elements].some((field) => {
      if (field.type === "hidden" || field.type === "password") return false;
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.options) return [...field.options].some((option) => option.selected && !option.defaultSelected && option.value);
      return field.value !== undefined && field.tagName !== "BUTTON" && field.value !== field.defaultValue;
    });
  const go = () => {
    const resumed = new URLSearchParams(location.search).has("repris") || document.getElementById("a-corriger");
    const open = [...document.querySelectorAll("form[data-kept]")].find((form) => resumed || touched(form));
    if (open) {
      open.noValidate = true;
      const where = document.createElement("input");
      where.type = "hidden";
      where.name = "_from";
      where.value = location.pathname + location.search;
      open.append(where);
      open.action = leave.action;
      open.method = "post";
      open.submit();
    } else {
      leave.submit();
    }
  };
  leave.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") {
      presses = [];
      return;
    }
    if (event.repeat) return;
    const now = Date.now();
    presses = [...presses.filter((at) => now - at < 1500), now];
    if (presses.length >= 3) go();
  });
}

// A page that comes back from the browser's memory after the session ended is asked for again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.body.hasAttribute("data-signed-in")) location.reload();
});

// How much room a bounded field has left.
for (const field of document.querySelectorAll("[data-room]")) {
  const told = document.createElement("small");
  told.className = "room";
  told.setAttribute("aria-hidden", "true");
  const tell = () => {
    told.textContent = `encore ${field.maxLength - [...field.value].length} caractères`;
  };
  tell();
  field.after(told);
  field.addEventListener("input", tell);
}

// A form that was sent is not sent twice; the server would do it once all the same.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    window.setTimeout(() => delete form.dataset.sent, 3000);
  });
}

// What is folded on a phone, and open where there is room; without this it is open.
const narrow = window.matchMedia("(max-width: 40rem)");
const fold = () => {
  for (const part of document.querySelectorAll("details[data-folds]")) part.open = !narrow.matches;
};
fold();
narrow.addEventListener("change", fold);

// Print buttons.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// After a refused form, the summary is read first.
document.getElementById("a-corriger")?.focus();
