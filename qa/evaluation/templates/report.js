"use strict";
for (const form of document.querySelectorAll("form.filter")) {
  const items = [...document.getElementById(form.dataset.for).children];
  const texts = items.map((item) => item.textContent.toLowerCase());
  const words = form.querySelector("input[type=search]");
  const show = () => {
    const kind = form.querySelector("input[name=kind]:checked").value;
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((item, i) => {
      const fits = (!kind || item.dataset.kind === kind) && wanted.every((word) => texts[i].includes(word));
      item.hidden = !fits;
      shown += fits;
    });
    form.querySelector("output").textContent = shown === items.length ? "" : `${shown} of ${items.length} shown`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
}
