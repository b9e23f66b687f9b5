// The right-hand side: the evidence of a turn, which travels with it in data-places; on a narrow screen a sheet.

const holder = $("#evidence .holder");
let places = []; // HTML of each place of the open turn
let open = null; // the open turn
let at = 0; // which of its places is shown
let opener = null; // what had the focus before the sheet came up

function glide(leaf) {
  const here = $(".here", leaf);
  if (!here) return;
  const far = here.getBoundingClientRect().top - leaf.getBoundingClientRect().top - leaf.clientHeight * 0.35;
  leaf.scrollBy({ top: far, behavior: still.matches ? "auto" : "smooth" });
}

function show(place, focus) {
  if (!places[place]) return;
  at = place;
  holder.innerHTML = places[place];
  glide($(".leaf", holder));
  const target = focus && ($(focus, holder) || $(".about h2", holder));
  if (target) {
    target.focus({ preventScroll: true });
    const of = $(".of", holder)?.textContent;
    say([of, $(".here", holder)?.textContent].filter(Boolean).join(": "));
  }
  for (const chip of all("[data-place], [data-places]", open ?? document.createElement("p"))) {
    const leads = (chip.dataset.place ?? chip.dataset.places).split(" ").map(Number);
    if (chip.matches(".chip")) chip.setAttribute("aria-pressed", leads.includes(place));
  }
}

function openTurn(turn) {
  open = turn;
  places = JSON.parse(turn.dataset.places);
  for (const other of all(".turn", thread)) other.classList.toggle("open", other === turn);
}

function noEvidence() {
  open = null;
  places = [];
  holder.replaceChildren();
}

function side(name) {
  for (const part of ["evidence", "articles"]) $(`#${part}`).hidden = part !== name;
  $('[data-opens="articles"]').setAttribute("aria-expanded", name === "articles");
}

function sheet(up, from) {
  const shown = $("#articles").hidden ? $("#evidence") : $("#articles");
  if (up === document.body.classList.contains("sheet-up")) return;
  document.body.classList.toggle("sheet-up", up);
  for (const behind of [$("#masthead"), $("#talk")]) behind.inert = up;
  if (up) {
    opener = from ?? document.activeElement;
    shown.setAttribute("role", "dialog");
    shown.setAttribute("aria-modal", "true");
    $("h2", shown)?.focus({ preventScroll: true });
    requestAnimationFrame(() => glide($(".leaf", shown)));
  } else {
    for (const part of all("#evidence, #articles")) {
      part.removeAttribute("role");
      part.removeAttribute("aria-modal");
    }
    if (opener?.isConnected) opener.focus({ preventScroll: true });
  }
}
narrow.addEventListener("change", () => sheet(false));

function closeSide() {
  const panel = !$("#articles").hidden;
  sheet(false);
  if (!panel) return;
  side("evidence");
  if (!narrow.matches) $('[data-opens="articles"]').focus();
}

async function whole(button) {
  const leaf = $(".leaf", button.closest(".place"));
  if (leaf.passage) {
    leaf.replaceChildren(...leaf.passage);
    leaf.passage = null;
    button.textContent = button.dataset.label;
    return glide(leaf);
  }
  const { article, version, start, end } = button.dataset;
  button.dataset.label = button.textContent;
  const found = await call("whole_article", { article, version, start, end });
  if (!leaf.isConnected) return;
  if (found.error) return leaf.prepend(make("p", "flag", found.lost ? button.dataset.failed : found.error));
  const mark = leaf.querySelector("mark") ? "mark" : "span";
  const body = make("div", "words", "", { dir: "auto" });
  body.append(found.before, make(mark, "here", found.quote), found.after);
  leaf.passage = [...leaf.childNodes];
  leaf.replaceChildren(body, ...(found.cut ? [make("p", "flag", found.cut)] : []));
  button.textContent = button.dataset.back;
  glide(leaf);
}

async function copyText(button, words) {
  let done = true;
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // Without https from another machine there is no clipboard API.
    const area = Object.assign(document.createElement("textarea"), { value: words });
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus({ preventScroll: true });
  }
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  button.textContent = done ? button.dataset.done : button.dataset.failed;
  say(button.textContent);
  setTimeout(() => (button.textContent = label), 1800);
}
