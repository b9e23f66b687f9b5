// Questions: asked one after the other, watched over, called off; each becomes a turn.

let working = null; // the question that is being answered: { token, question, turn, replaced, ... }
const queue = []; // questions that wait for it
const GLIMPSE_AFTER = 250; // ms
let level = null; // the least confidence; null for the usual
const scope = { chosen: new Map(), since: "", until: "" }; // articles by id, and days; empty for all

const token = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

// `how` may say: alone (as written, not as a follow-up), any (whatever the confidence), replaced (the turn it takes
// the place of), ref (the place to show), typed (goes back into the box if it cannot be asked).
function ask(question, how = {}) {
  if (working) return queue.push([question, how]);
  $(".welcome", thread)?.remove();
  if (!how.replaced?.isConnected) how.replaced = null; // meanwhile it was asked again itself
  const turn = how.replaced ?? workingTurn(question);
  if (how.replaced) turn.classList.add("asking-again");
  else thread.append(turn);
  working = { token: token(), question, turn, unknown: 0, under: under(), ...how };
  working.history = how.alone ? [] : history(turn);
  if (!how.replaced) {
    toTurn(turn);
    say(W.starting);
  }
  const asked = {
    token: working.token, question, history: working.history, level: how.any ? 0 : level,
    articles: [...scope.chosen.keys()], since: scope.since, until: scope.until,
  };
  const job = working;
  connection.then((component) => job.off || component.ask(asked));
}

// What a question is asked under; when that has changed, the last one is asked again.
const under = () => JSON.stringify([level, [...scope.chosen.keys()], scope.since, scope.until]);

function workingTurn(question) {
  const turn = make("article", "turn working");
  if (question.trim()) {
    const shown = make("h2", "asked", "", { dir: "auto" });
    const short = question.length > 400 ? `${question.slice(0, 400)} …` : question;
    shown.append(make("bdi", "unseen", `${W.asked}: `), short);
    turn.append(shown);
  }
  const line = make("div", "under-way");
  line.append(make("p", "doing", W.starting), does("cancel", "quiet", W.cancel));
  turn.append(line);
  return turn;
}

// Earlier questions with what they were answered, oldest first.
function history(before) {
  const earlier = [];
  for (const turn of all(".turn", thread)) {
    if (turn === before) break;
    if (turn.asked && !turn.asked.failed) earlier.push([turn.asked.question, turn.asked.answer]);
  }
  return earlier.slice(-10);
}

function heard(value) {
  if (!working || value?.token !== working.token) return;
  working.unknown = 0;
  if (value.near) {
    const job = working;
    // A quick answer comes before it, and nothing flickers.
    return setTimeout(() => working === job && glimpse(job.turn, value.near), GLIMPSE_AFTER);
  }
  if (!value.done) {
    const doing = $(".doing", working.turn);
    if (doing) doing.textContent = value.doing;
    return say(value.doing);
  }
  finish(rendered(value.html), value);
}

function glimpse(turn, html) {
  $(".glimpse", turn)?.remove();
  turn.append(rendered(html));
}

function finish(turn, value) {
  const job = working;
  working = null;
  turn.asked = { ...value, question: job.question, history: job.history, alone: job.alone, any: job.any, under: job.under };
  job.turn.replaceWith(turn);
  if (value.failed && job.typed && !box.value) box.value = job.question;
  say(turn.dataset.say);
  if (turn.dataset.places) {
    openTurn(turn);
    const wanted = places.findIndex((html) => job.ref && rendered(html).dataset.ref === job.ref);
    if (places.length) show(Math.max(wanted, 0));
    else noEvidence();
    if (job.ref && wanted < 0) linked(job.ref);
    if (!job.replaced) side("evidence");
  }
  if (!job.replaced) toTurn(turn);
  const next = queue.shift();
  if (next) ask(...next);
}

function toTurn(turn) {
  thread.scrollTop += turn.getBoundingClientRect().top - thread.getBoundingClientRect().top - 12;
}

// A question the server does not know of, or a server that is away: said, and never waited for without end.
function watchOver(found) {
  working.unknown = found.lost || !found.known ? working.unknown + 1 : 0;
  if (working.unknown < (found.lost ? 2 : 4)) return; // it may only be slow to begin
  giveUp(found.lost ? W.lost : W.busy);
}

// The turn that is being worked on ends with these words, and a way to ask again.
function giveUp(words) {
  const turn = workingTurn(working.question);
  turn.className = "turn";
  const card = make("div", "card trouble");
  card.append(make("p", "", words), does("again", "chief", W.again));
  $(".under-way", turn).replaceWith(card);
  turn.dataset.say = words;
  finish(turn, { failed: true, answer: "" });
}

async function cancel() {
  const job = working;
  if (!job) return;
  queue.length = 0;
  if (!connected) {
    job.off = true;
    return giveUp(W.cancelled);
  }
  const found = await call("cancel", { token: job.token });
  if (working === job && !found.cancelled) job.unknown = 3; // it never began: the watch says so
}

function again(button, how) {
  const turn = button.closest(".turn");
  if (!turn?.asked) return;
  ask(turn.asked.question, { alone: turn.asked.alone, any: turn.asked.any, ...how, replaced: turn });
}

// The last question is asked again when how sure, or of which articles, has changed.
let soon = 0;
function askLastAgain() {
  clearTimeout(soon);
  soon = setTimeout(() => {
    if (working) return askLastAgain();
    const last = all(".turn", thread).pop();
    if (last?.asked && !last.asked.failed && last.asked.under !== under()) ask(last.asked.question, { alone: last.asked.alone, replaced: last });
  }, 250);
}

async function linked(ref) {
  const found = await call("place", { ref });
  if (found.html) holder.innerHTML = found.html;
  else if (found.flag || found.error) holder.prepend(make("p", "flag gone", found.flag || found.error));
  glide($(".leaf", holder));
}

async function verdict(button) {
  const group = button.closest(".opinion");
  const found = await call("verdict", { token: group.dataset.token, verdict: button.dataset.verdict });
  if (!found.error)
    for (const other of all("[data-verdict]", group)) other.setAttribute("aria-pressed", other === button);
  $(".thanks", group).textContent = found.error || W.thanks;
  say(found.error || W.thanks);
}

function startOver() {
  if (working) cancel();
  working = null;
  queue.length = 0;
  thread.replaceChildren();
  noEvidence();
  sheet(false);
  side("evidence");
  welcome();
  write();
}

// On a phone the focus would bring up the keyboard, over the answer.
function write() {
  if (!narrow.matches) box.focus({ preventScroll: true });
}
