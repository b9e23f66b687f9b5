// What was said survives a reload: Gradio's own script reloads the page when its server was away and is back.

const KEPT = "ask-the-articles.thread";

window.addEventListener("pagehide", () => {
  const turns = all(".turn:not(.working)", thread).slice(-30).map((turn) => {
    turn.classList.remove("open", "asking-again");
    return [turn.outerHTML, { ...turn.asked, html: undefined }];
  });
  const pending = [working?.question, ...queue.map(([question]) => question)].filter(Boolean);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ turns, pending, draft: box.value, level }));
  } catch {
    // too much, or a browser that keeps nothing
  }
});

function remembered() {
  const { type } = performance.getEntriesByType("navigation")[0] ?? {};
  try {
    return type === "reload" || type === "back_forward" ? JSON.parse(sessionStorage.getItem(KEPT)) : null;
  } catch {
    return null;
  }
}

// Whether there was anything to bring back.
function bringBack() {
  const { turns = [], pending = [], draft = "", level: before = null } = remembered() ?? {};
  setLevel(before, true);
  if (draft) box.value = draft;
  if (turns.length) $(".welcome", thread)?.remove();
  for (const [html, asked] of turns) {
    const turn = rendered(html);
    turn.asked = asked;
    thread.append(turn);
  }
  const last = all(".turn[data-places]", thread).pop();
  if (last) {
    openTurn(last);
    if (places.length) show(0);
    toTurn(last);
  }
  for (const question of pending) ask(question, { typed: true });
  return turns.length + pending.length > 0;
}
