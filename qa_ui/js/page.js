// The files of this folder run once, as one block, where the page stands. The server renders answers and lists; these
// show them, move focus, scroll and live region along, and call the server.
// They write text from articles, file names and questions only as text nodes, or as HTML that the server has escaped.

const props = JSON.parse(document.getElementById("settings").textContent);
const element = document.getElementById("page");
const W = props.words;
const $ = (selector, root = document) => root?.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const narrow = matchMedia("(max-width: 760px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const thread = $("#thread");
const box = $("#box");

// Light or dark: what was chosen here, else what the machine says.

function remember(name, value) {
  try {
    localStorage.setItem(`ask-the-articles.${name}`, value);
  } catch {
    // a browser that keeps nothing
  }
}

function recall(name) {
  try {
    return localStorage.getItem(`ask-the-articles.${name}`);
  } catch {
    return null;
  }
}

const night = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (recall("scheme") ?? (night.matches ? "dark" : "light")) === "dark";
function inScheme(dark = isDark()) {
  for (const part of [document.documentElement, document.body]) part.classList.toggle("dark", dark);
}
inScheme();
night.addEventListener("change", () => inScheme());

function fill(template, ...values) {
  return template.replace(/\{\}/g, () => values.shift());
}

function make(tag, css, words = "", attributes = {}) {
  const node = document.createElement(tag);
  if (css) node.className = css;
  node.textContent = words;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function does(action, css, words, data = {}) {
  const button = make("button", css, words, { type: "button" });
  Object.assign(button.dataset, { action, ...data });
  return button;
}

// HTML that the server has escaped, as an element.
function rendered(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

function say(words) {
  const said = $("#said");
  if (!words) return;
  if (said.textContent === words) words += "\u00a0"; // or the same words twice would not be said again
  said.textContent = words;
}

// Gradio's way to the server. What is asked before its scripts are there waits for it.
let connected = false;
const connection = new Promise((done) => {
  window.connectPage = (component) => {
    connected = true;
    component.watch("value", () => heard(component.props.value));
    inScheme(); // Gradio has its own mind
    offline(false);
    done(component);
  };
});
setTimeout(() => connected || offline(true), 20_000);

// Calls of the server: what comes back, or { error } in words. `lost` when nobody answered.
let away = 0;
async function call(name, data = {}) {
  const { server } = await connection;
  let found;
  try {
    found = await server[name](data);
  } catch {
    // said below
  }
  found ??= { error: W.lost, lost: true }; // Gradio keeps a failure of the network to itself
  offline(found.lost);
  return found;
}

function offline(lost) {
  const banner = $("#offline");
  away = lost ? away + 1 : 0;
  if (banner.hidden === !lost) return;
  banner.hidden = !lost;
  banner.textContent = lost ? W.offline : "";
}

// What another process changed is noticed within seconds, while somebody looks.

let known = props.opening; // counts and generation as last heard
async function look() {
  if (!connected || document.visibilityState !== "visible") return;
  const token = working?.token;
  const found = await call("state", { token });
  if (token && token === working?.token) watchOver(found);
  if (found.lost && working) setTimeout(look, 1000); // soon known: away, or only a moment
  if (found.error) return;
  library(found);
}

function library(found) {
  if (found.error || found.generation === undefined) return;
  const news = known.generation !== undefined && known.generation !== found.generation;
  known = found;
  for (const place of all("#masthead .counts, #articles .counts")) place.textContent = found.counts;
  if (!news) return;
  if (!$("#articles").hidden) listing();
  if (!$(".turn", thread)) welcome();
}

async function welcome() {
  const found = await call("start");
  if (found.error) return setTimeout(welcome, 2000);
  if (!$(".turn", thread)) thread.innerHTML = found.html;
  known = found;
  library(found);
}

setInterval(look, 4000);
document.addEventListener("visibilitychange", look);
