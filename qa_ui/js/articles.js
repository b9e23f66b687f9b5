// The list of articles: found, chosen, read, removed and brought back; files and text taken in.

let most = 0; // rows listed; 0 for the server's own measure
let listed = 0; // which listing was asked for last
const jobs = new Map(); // lists of what is taken in: job -> its row

async function listing() {
  const mine = ++listed;
  const found = await call("listing", {
    find: $("#find").value, since: scope.since, until: scope.until, most, chosen: [...scope.chosen.keys()],
  });
  if (mine !== listed) return;
  const shelf = $("#shelf");
  if (found.error) return shelf.replaceChildren(make("p", "hint", found.error));
  const focused = document.activeElement?.dataset?.pick;
  shelf.innerHTML = found.html;
  if (focused) $(`[data-pick="${CSS.escape(focused)}"]`, shelf)?.focus();
  scope.chosen = new Map(Object.entries(found.chosen)); // one that was removed is no longer chosen
  scoped();
  library(found);
}

async function panel() {
  if (!$("#articles").hidden) return closeSide();
  const from = document.activeElement;
  side("articles");
  listing();
  if (narrow.matches) sheet(true, from);
  else $("#articles h2").focus({ preventScroll: true });
}

function scoped() {
  const { chosen, since, until } = scope;
  const parts = [];
  if (chosen.size === 1) parts.push(fill(W.one_article, [...chosen.values()][0]));
  if (chosen.size > 1) parts.push(fill(W.articles, chosen.size));
  const days = [since && fill(W.from, since), until && fill(W.to, until)].filter(Boolean).join(" ");
  if (days) parts.push(chosen.size ? days : fill(W.dated, days));
  $("#scope").hidden = !parts.length;
  $("#scope .about-scope").textContent = parts.join(" · ");
  document.body.classList.toggle("scoped", parts.length > 0);
  const line = $("#articles .chosen");
  line.hidden = !chosen.size;
  $("span", line).textContent = fill(W.chosen, chosen.size);
  $("[data-action=remove-chosen]", line)?.remove();
  if (chosen.size && props.writable)
    line.append(does("remove-chosen", "quiet", fill(W.remove_all, chosen.size)));
}

function everywhere() {
  scope.chosen.clear();
  scope.since = scope.until = $("#since").value = $("#until").value = "";
  scoped();
  if (!$("#articles").hidden) listing();
  askLastAgain();
}

async function read(button) {
  const found = await call("article", { article: button.dataset.article });
  if (found.error) return undoBar(found.error);
  if (open) for (const turn of all(".turn.open", thread)) turn.classList.remove("open");
  open = null;
  places = [found.html];
  side("evidence");
  show(0, ".about h2");
}

async function remove(articles, titles) {
  const found = await call("remove", { articles });
  if (found.error) return undoBar(found.error);
  for (const article of articles) scope.chosen.delete(article);
  undoBar(fill(W.removed, titles), found.undo, titles);
  await listing();
  $("#undo button")?.focus();
}

function undoBar(words, undo, titles) {
  const bar = $("#undo");
  bar.replaceChildren(make("span", "", words, { dir: "auto" }));
  if (undo) bar.append(does("undo", "chief", W.undo, { undo, titles }));
}

async function restore(button) {
  button.disabled = true;
  const found = await call("restore", { undo: button.dataset.undo });
  undoBar(found.error || fill(W.restored, button.dataset.titles));
  listing();
  $("#articles h2").focus();
}

// Taking in

function row(name) {
  const line = make("li", "job");
  const bar = make("progress", "", "", { "aria-label": name, max: 1, value: 0 });
  line.append(make("span", "name", name, { dir: "auto" }), make("span", "state small", W.queued), bar);
  $("#jobs").append(line);
  return line;
}

function rowSays(line, words, share) {
  $(".state", line).textContent = words;
  const bar = $("progress", line);
  if (bar && share !== undefined) bar.value = share;
}

function rowDone(line, html, failed) {
  $("progress", line)?.remove();
  $("button", line)?.remove();
  $(".state", line).remove();
  line.classList.toggle("failed", failed);
  line.append(rendered(`<div class="outcome">${html}</div>`));
  say(line.textContent);
  dismissable();
}

function rowFails(line, why) {
  const words = make("p", "bad", why);
  rowDone(line, words.outerHTML, true);
}

function dismissable() {
  if (!$("#jobs .dismiss")) $("#jobs").prepend(make("li", "dismiss"));
  $("#jobs .dismiss").replaceChildren(does("dismiss", "quiet", W.dismiss));
}

const kindOf = (name) => name.slice(name.lastIndexOf(".")).toLowerCase();

async function takeIn(files) {
  if (!props.writable || !files.length) return;
  if ($("#articles").hidden) await panel();
  const taken = [...files].slice(0, props.most_files);
  const lines = taken.map((file) => row(file.name));
  if (files.length > taken.length) undoBar(W.too_many);
  for (const [i, file] of taken.entries()) {
    const why = !props.kinds.includes(kindOf(file.name)) ? W.wrong_kind : file.size > props.most_bytes ? W.too_large : "";
    if (why) rowFails(lines[i], `${file.name} ${why}`);
    else await sendIn(file, lines[i]);
  }
}

async function sendIn(file, line) {
  let path;
  try {
    path = await send(file, (share) => rowSays(line, W.sending, share / 2));
  } catch {
    return rowFails(line, `${file.name} ${W.send_failed}`);
  }
  const found = await call("add", { path, name: file.name });
  if (found.error) return rowFails(line, found.error);
  jobs.set(found.job, line);
  line.append(does("stop", "quiet", W.stop, { job: found.job }));
  follow();
}

// Gradio's own way in, with progress.
function send(file, progress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("files", file);
    const request = new XMLHttpRequest();
    request.open("POST", new URL("gradio_api/upload", document.baseURI));
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = request.onabort = reject;
    request.onload = () => {
      if (request.status !== 200) return reject();
      resolve(JSON.parse(request.responseText)[0]);
    };
    request.send(form);
  });
}

let following = false;
async function follow() {
  if (following) return;
  following = true;
  while (jobs.size) {
    const asked = [...jobs]; // others may come in while this is answered
    const found = await call("look", { jobs: asked.map(([job]) => job) });
    for (const [job, line] of found.error ? [] : asked) {
      const now = found.jobs[job];
      if (now && now.state !== "done") {
        const far = now.total > 1 ? ` ${fill(W.of, now.done, now.total)}` : "";
        const share = 0.5 + (0.5 * now.done) / now.total;
        rowSays(line, now.state === "queued" ? W.queued : W.reading + far, share);
        continue;
      }
      jobs.delete(job);
      if (now) rowDone(line, now.html, now.failed);
      else rowFails(line, W.send_failed);
      listing();
    }
    await new Promise((done) => setTimeout(done, found.lost ? 2000 : 250));
  }
  following = false;
}

async function paste(form) {
  const { title, text, date } = Object.fromEntries(new FormData(form));
  const line = row(title || text.trim().slice(0, 60));
  if (!text.trim()) return rowFails(line, W.paste_empty);
  rowSays(line, W.reading, 0.5);
  const found = await call("paste", { title, text, date });
  if (found.error) return rowFails(line, found.error);
  rowDone(line, found.html, found.failed);
  if (!found.failed) form.reset();
  listing();
}
