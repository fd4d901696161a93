// Helps; nothing needs it. It stores nothing and sends nothing by itself.
"use strict";

// Leave quickly: Shift three times within a second and a half. The open form goes along, so that its text is kept for its author.
const leave = document.getElementById("leave");
if (leave) {
  let presses = [];
  const go = () => {
    const open = document.querySelector("form[data-kept]");
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
      leave.requestSubmit();
    }
  };
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

// Print buttons.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// After a refused form, the summary is read first.
document.getElementById("a-corriger")?.focus();
