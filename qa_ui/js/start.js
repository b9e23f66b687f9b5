// What happens on a click, a key, a drop, a link; and the beginning.

const actions = {
  open(button) {
    openTurn(button.closest(".turn"));
    side("evidence");
    show(Number(button.dataset.place));
    if (narrow.matches) sheet(true, button);
  },
  cycle(button) {
    const turn = button.closest(".turn");
    const same = button.dataset.places.split(" ").map(Number);
    const next = open === turn ? same[(same.indexOf(at) + 1) % same.length] : same[0];
    openTurn(turn);
    side("evidence");
    show(next);
    if (narrow.matches) sheet(true, button);
    else say(`${$(".of", holder)?.textContent}: ${$(".about h2", holder).textContent}`);
  },
  place(button) {
    const { step, place } = button.dataset;
    show(Number(place), step ? `[data-step="${step}"]` : ".about h2");
  },
  ask(button) {
    if (!working) ask(button.dataset.question);
    write();
  },
  again: (button) => again(button, {}),
  alone: (button) => again(button, { alone: true }),
  guess: (button) => again(button, { any: true }),
  copy: (button) => copyText(button, button.dataset.copy),
  link(button) {
    const turn = button.closest(".turn") ?? open;
    const own = turn === open ? $(".place", holder)?.dataset.ref : rendered(JSON.parse(turn.dataset.places)[0]).dataset.ref;
    copyText(button, linkTo(turn?.asked, own));
  },
  articles: panel,
  close: closeSide,
  over: startOver,
  more(button) {
    most = Number(button.dataset.most);
    listing();
  },
  remove(button) {
    const title = $("h3", button.closest("li")).textContent;
    remove([button.dataset.article], title);
  },
  "remove-chosen"() {
    remove([...scope.chosen.keys()], [...scope.chosen.values()].join(", "));
  },
  undo: restore,
  stop: (button) => call("stop", { job: button.dataset.job }),
  dismiss() {
    for (const line of all("#jobs li")) if (!$("progress", line)) line.remove();
  },
  sure(button) {
    sureMenu($("#sure-menu").hidden);
  },
  usual() {
    setLevel(null);
    sureMenu(false);
  },
  scheme() {
    const dark = !document.documentElement.classList.contains("dark");
    remember("scheme", dark ? "dark" : "light");
    inScheme(dark);
  },
  cancel, everywhere, read, verdict, whole,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-action]");
  if (button && Object.hasOwn(actions, button.dataset.action)) actions[button.dataset.action](button);
  if (!event.target.closest?.("#sure-box")) sureMenu(false);
});

// How sure

function sureMenu(up) {
  if ($("#sure-menu").hidden === !up) return;
  $("#sure-menu").hidden = !up;
  $('[data-action="sure"]').setAttribute("aria-expanded", up);
  if (up) $("#sure-range").focus();
}

function setLevel(to, quiet) {
  level = to;
  const range = $("#sure-range");
  const percent = (p) => `${Math.round(p * 100)}\u00a0%`;
  const words = to === null ? W.usual : to === 0 ? W.any : fill(W.at_least, percent(to));
  const usual = Number(range.dataset.usual);
  if (to === null && range.dataset.usual) range.value = Math.round(usual * 100);
  else range.value = Math.round((to ?? 0.5) * 100);
  $("#sure-now").textContent = words;
  $("#sure-said").textContent = to === null && usual ? `${words} (${percent(usual)})` : words;
  range.setAttribute("aria-valuetext", $("#sure-said").textContent);
  if (!quiet) askLastAgain();
}
$("#sure-range").addEventListener("input", (event) => setLevel(event.target.value / 100));

// Links: the question, the place, how sure and of which articles. What follows # is never sent to a server.

function linkTo(asked, ref) {
  const what = new URLSearchParams();
  if (asked) what.set("q", asked.read_as || asked.question);
  if (ref) what.set("ref", ref);
  if (asked?.any) what.set("sure", "0");
  else if (level !== null) what.set("sure", String(level));
  for (const article of [...scope.chosen.keys()].slice(0, 50)) what.append("in", article);
  if (scope.since) what.set("from", scope.since);
  if (scope.until) what.set("to", scope.until);
  return `${location.origin}${location.pathname}${location.search}#${what}`;
}

function followLink() {
  const what = new URLSearchParams(location.hash.slice(1));
  const question = what.get("q");
  if (!question) return;
  const sure = Number.parseFloat(what.get("sure"));
  setLevel(sure >= 0 && sure <= 1 ? sure : null, true);
  scope.chosen = new Map(what.getAll("in").map((article) => [article, article]));
  scope.since = $("#since").value = what.get("from") ?? "";
  scope.until = $("#until").value = what.get("to") ?? "";
  scoped();
  ask(question, { ref: what.get("ref"), alone: true });
}
window.addEventListener("hashchange", followLink);

// The box

function grow() {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
}

function submit() {
  const question = box.value;
  if (!question && ($(".turn", thread) || working)) return; // one Enter too many is not a question
  box.value = "";
  grow();
  ask(question, { typed: true });
}

box.addEventListener("input", grow);
box.addEventListener("keydown", (event) => {
  if (event.isComposing) return; // Enter ends a word of an input method, not the question
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === "ArrowUp" && !box.value) {
    const last = all(".turn", thread).pop();
    if (last?.asked) {
      event.preventDefault();
      box.value = last.asked.question;
      grow();
    }
  }
});

document.addEventListener("submit", (event) => {
  if (!element.contains(event.target)) return;
  event.preventDefault();
  if (event.target.id === "question") submit();
  else paste(event.target);
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.id === "files") {
    takeIn([...target.files]);
    target.value = "";
  } else if (target.dataset?.pick) {
    const title = $("h3", target.closest("li")).textContent;
    if (target.checked) scope.chosen.set(target.dataset.pick, title);
    else scope.chosen.delete(target.dataset.pick);
    scoped();
    askLastAgain();
  } else if (target.id === "since" || target.id === "until") {
    scope[target.id] = target.value;
    scoped();
    listing();
    askLastAgain();
  }
});

let typing = 0;
$("#find").addEventListener("input", () => {
  clearTimeout(typing);
  most = 0;
  typing = setTimeout(listing, 150);
});

// Keys

document.addEventListener("keydown", (event) => {
  const writes = event.target.matches?.("input, textarea, select");
  if (event.key === "Escape") {
    if (!$("#sure-menu").hidden) {
      sureMenu(false);
      $('[data-action="sure"]').focus();
    } else if (document.body.classList.contains("sheet-up") || !$("#articles").hidden) closeSide();
    else cancel();
  } else if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
  }
  const step = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  if (!step || writes || event.altKey || event.ctrlKey || event.metaKey) return;
  if (!event.target.closest?.("#evidence, #thread")) return;
  const button = $(`[data-step="${step}"]`, holder);
  if (button) show(Number(button.dataset.place), event.target.closest("#evidence") && `[data-step="${step}"]`);
});

// Files dropped anywhere

let over = 0;
function dragging(event, by) {
  if (!props.writable || !event.dataTransfer?.types?.includes("Files")) return;
  event.preventDefault();
  over = Math.max(0, over + by);
  document.body.classList.toggle("dropping", over > 0);
}
element.dataset.drop = W.drop;
document.addEventListener("dragenter", (event) => dragging(event, 1));
document.addEventListener("dragleave", (event) => dragging(event, -1));
document.addEventListener("dragover", (event) => dragging(event, 0));
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files?.length) return;
  event.preventDefault();
  over = 0;
  document.body.classList.remove("dropping");
  takeIn([...event.dataTransfer.files]);
});

// The beginning

side("evidence");
if (!bringBack()) followLink();
grow();
write();
