// Adds to pages that work without it: live alerts, keys, and pages that stay fresh.

const MOST_AT_ONCE = 20; // More new alerts than these are counted, and shown on request.
const FRESH_MS = 30_000; // How often a page about the present is read anew.
const PRESENT = ["/feeds", "/deliveries", "/status"];

document.documentElement.classList.add("scripted");
const list = document.getElementById("alerts");

// Reads a page of this server as a document. Its scripts do not run.
function read(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => request.status === 200 && request.response ? resolve(request.response) : reject(new Error(String(request.status)));
    request.onerror = () => reject(new Error("no answer"));
    request.send();
  });
}

// The live page.
function watchAlerts() {
  const state = document.getElementById("live-state");
  const pause = document.getElementById("pause");
  const showNew = document.getElementById("show-new");
  const query = list.dataset.query;
  let shown = Number(list.dataset.newest);
  let reading = false;
  const waiting = new Set();

  const address = (path, extra) => path + "?" + [query, extra].filter(Boolean).join("&");
  const isPaused = () => pause.getAttribute("aria-pressed") === "true";

  async function showWaiting() {
    if (reading) return;
    reading = true;
    try {
      const page = await read(address(location.pathname, "after=" + shown));
      const rows = [...page.querySelectorAll("#alerts > li")];
      const isKnown = (row) => document.getElementById(row.id);
      for (const row of rows.reverse()) {
        if (isKnown(row)) continue;
        row.classList.add("new");
        list.prepend(document.adoptNode(row));
      }
      shown = Math.max(shown, Number(page.getElementById("alerts").dataset.newest));
      for (const id of waiting) if (id <= shown) waiting.delete(id);
      document.querySelector("p.none")?.remove();
    } catch {
      state.textContent = "The page cannot be read. It is tried again.";
    } finally {
      reading = false;
    }
    count();
  }

  function count() {
    showNew.hidden = waiting.size === 0;
    showNew.textContent = waiting.size === 1 ? "Show 1 new alert" : `Show ${waiting.size} new alerts`;
    if (waiting.size > 0 && !isPaused() && waiting.size <= MOST_AT_ONCE) showWaiting();
  }

  const stream = new EventSource(address("/api/v1/stream", "after=" + shown));
  stream.onopen = () => { state.textContent = "New alerts appear here at once."; };
  stream.onerror = () => { state.textContent = "The connection is lost. It is tried again."; };
  stream.addEventListener("alert", (event) => { waiting.add(Number(event.lastEventId)); count(); });
  stream.addEventListener("reset", () => location.reload());
  pause.hidden = false;
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    pause.textContent = isPaused() ? "Go on" : "Pause";
    count();
  });
  showNew.addEventListener("click", showWaiting);
}

// A page about the present is read anew, unless somebody works in it.
function keepFresh() {
  setInterval(async () => {
    const main = document.getElementById("main");
    if (document.hidden || main.contains(document.activeElement)) return;
    try {
      const fresh = (await read(location.href)).getElementById("main");
      main.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    } catch {
      // The next turn tries again.
    }
  }, FRESH_MS);
}

function moveTo(step) {
  const rows = [...document.querySelectorAll(".alert")];
  const now = rows.indexOf(document.activeElement?.closest(".alert"));
  const row = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
  if (!row) return;
  row.tabIndex = -1;
  row.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  const search = document.getElementById("search");
  if (event.key === "j") moveTo(1);
  else if (event.key === "k") moveTo(-1);
  else if (event.key === "/" && search) search.focus();
  else if (event.key === "?") document.getElementById("keys").showModal();
  else return;
  event.preventDefault();
});

if (list?.dataset.newest) watchAlerts();
else if (PRESENT.some((path) => location.pathname.startsWith(path))) keepFresh();
