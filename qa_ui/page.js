// Runs once, inside the component that holds the chat (`element`). The server renders everything; this shows the
// evidence of a turn, which travels with it in data-places, and moves focus, scroll and the live region along.
// It writes text from articles only as text nodes, or as HTML that the server has escaped.

const $ = (selector, root = document) => root.querySelector(selector);
const holder = () => $("#evidence .holder");
const narrow = matchMedia("(max-width: 760px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let places = []; // HTML of each place of the open turn
let open = null; // the open turn's data-places, to know it again after an update
let opener = null; // what had the focus before the sheet came up

function say(text) {
  const said = $("#said");
  if (said && text && said.textContent !== text) said.textContent = text;
}

function glide(leaf) {
  const here = $(".here", leaf);
  if (!here) return;
  const far = here.getBoundingClientRect().top - leaf.getBoundingClientRect().top - leaf.clientHeight * 0.35;
  leaf.scrollBy({ top: far, behavior: still.matches ? "auto" : "smooth" });
}

function show(at, focus) {
  if (!holder() || !places[at]) return;
  holder().innerHTML = places[at];
  glide($(".leaf", holder()));
  const target = focus && ($(focus, holder()) || $(".about h2", holder()));
  if (target) target.focus({ preventScroll: true });
}

function openTurn(turn) {
  open = turn.dataset.places;
  places = JSON.parse(open);
  markOpen();
}

function markOpen() {
  for (const turn of element.querySelectorAll(".turn[data-places]"))
    turn.classList.toggle("open", turn.dataset.places === open);
}

// The evidence as a sheet, on a narrow screen

function sheet(up) {
  const pane = $("#evidence");
  if (!pane || up === document.body.classList.contains("sheet-up")) return;
  document.body.classList.toggle("sheet-up", up);
  for (const behind of [$("#masthead"), $("#talk")]) if (behind) behind.inert = up;
  if (up) {
    pane.setAttribute("role", "dialog");
    pane.setAttribute("aria-modal", "true");
    $(".about h2", pane)?.focus({ preventScroll: true });
    requestAnimationFrame(() => glide($(".leaf", pane)));
  } else {
    pane.removeAttribute("role");
    pane.removeAttribute("aria-modal");
    if (opener?.isConnected) opener.focus({ preventScroll: true });
  }
}
narrow.addEventListener("change", () => sheet(false));

// On a phone the focus would bring up the keyboard, over the answer.
function write() {
  if (!narrow.matches) $("#question textarea")?.focus({ preventScroll: true });
}

// What the buttons do

async function copy(button) {
  const text = button.dataset.copy;
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https from another machine there is no clipboard API.
    const area = Object.assign(document.createElement("textarea"), { value: text });
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

function text(tag, words, css) {
  const node = Object.assign(document.createElement(tag), { className: css });
  node.textContent = words;
  return node;
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
  let found;
  try {
    found = await server.whole_article({ article, version, start, end });
  } catch {
    found = { error: button.dataset.failed };
  }
  if (!leaf.isConnected) return;
  if (found.error) return leaf.prepend(text("p", found.error, "flag"));
  const mark = leaf.querySelector("mark") ? "mark" : "span";
  const body = text("div", "", "words");
  body.dir = "auto";
  body.append(found.before, text(mark, found.quote, "here"), found.after);
  leaf.passage = [...leaf.childNodes];
  leaf.replaceChildren(body, ...(found.cut ? [text("p", found.cut, "flag")] : []));
  button.textContent = button.dataset.back;
  glide(leaf);
}

const does = {
  open(button) {
    const turn = button.closest(".turn");
    opener = button;
    openTurn(turn);
    show(Number(button.dataset.place));
    if (narrow.matches) sheet(true);
  },
  place(button) {
    const { step, place } = button.dataset;
    show(Number(place), step ? `[data-step="${step}"]` : ".about h2");
  },
  ask(button) {
    if ($(".working", element)) return;
    trigger("ask", { question: button.dataset.question, any: button.dataset.any });
    write();
  },
  close: () => sheet(false),
  copy,
  whole,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-action]");
  if (button && Object.hasOwn(does, button.dataset.action)) does[button.dataset.action](button);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return sheet(false);
  const step = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey || !event.target.closest?.("#evidence")) return;
  const button = $(`#evidence [data-step="${step}"]`);
  if (button) does.place(button);
});

watch("value", () => {
  const arrow = $("#question .submit-button");
  if (arrow && !arrow.ariaLabel) {
    arrow.ariaLabel = props.send; // Gradio gives it no name
    write();
  }
  const turns = element.querySelectorAll(".turn");
  const last = turns[turns.length - 1];
  if (!last) {
    open = null;
    places = [];
    sheet(false);
    holder()?.replaceChildren();
    return;
  }
  say(last.dataset.say);
  if (last.dataset.places && last.dataset.places !== open) {
    openTurn(last);
    if (places.length) show(0);
    else holder()?.replaceChildren();
  }
  markOpen();
  const scroller = $("#thread");
  if (scroller)
    scroller.scrollTop += last.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 12;
});
