// Adds to pages that work without it: live alerts, keys, and pages that stay fresh.

const MOST_AT_ONCE = 20; // More new alerts than these within BURST_MS are counted, and shown on request.
const BURST_MS = 10_000;
const MOST_READ = 500; // The server lists no more new alerts than these at once.
const MOST_ROWS = 1_000; // Older rows leave the live page.
const RETRY_MS = 3_000;
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
  const waiting = new Set(); // The numbers of alerts that are not shown yet.
  let shown = Number(list.dataset.newest); // Every alert up to this number is shown.
  let burst = []; // When rows were shown by themselves.
  let isReading = false;
  let isPaused = false;
  let isAsked = false; // Somebody pressed the button that shows them.

  const address = (path, extra) => path + "?" + [query, extra].filter(Boolean).join("&");

  // Counts the waiting alerts, and shows them if they are few or somebody asked for them.
  function count() {
    showNew.hidden = waiting.size === 0;
    showNew.textContent = waiting.size === 1 ? "Show 1 new alert" : `Show ${waiting.size} new alerts`;
    if (waiting.size === 0 || isReading) return;
    burst = burst.filter((at) => at > Date.now() - BURST_MS);
    if (isAsked || (!isPaused && burst.length + waiting.size <= MOST_AT_ONCE)) show();
    else if (!isPaused && waiting.size <= MOST_AT_ONCE) setTimeout(count, BURST_MS);
  }

  // Reads the waiting alerts, and adds their rows unless they are a burst that nobody asked for.
  async function show() {
    if (waiting.size > MOST_READ) return location.reload();
    isReading = true;
    try {
      const page = await read(address(location.pathname, "after=" + shown));
      const rows = [...page.querySelectorAll("#alerts > li")].filter((row) => !document.getElementById(row.id));
      if (isAsked || (!isPaused && burst.length + rows.length <= MOST_AT_ONCE)) {
        add(rows);
        shown = Math.max(shown, Number(page.getElementById("alerts").dataset.newest));
        for (const id of waiting) if (id <= shown) waiting.delete(id);
      } else {
        for (const row of rows) waiting.add(Number(row.dataset.id));
      }
      isReading = false;
      count();
    } catch {
      state.textContent = "The new alerts cannot be read. It is tried again.";
      setTimeout(() => { isReading = false; count(); }, RETRY_MS);
    }
  }

  function add(rows) {
    for (const row of rows.reverse()) {
      row.classList.add("new");
      list.prepend(document.adoptNode(row));
      if (!isAsked) burst.push(Date.now());
    }
    while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
    document.querySelector("p.none")?.remove();
    // The button that was pressed goes away.
    if (isAsked && list.firstElementChild) focusRow(list.firstElementChild);
    isAsked = false;
  }

  // An alert that was held is told now. A list without held alerts gets it as a new one.
  async function renew(id) {
    const page = await read(address(location.pathname, `after=${id - 1}&before=${id + 1}`));
    const row = page.querySelector("#alerts > li");
    const old = document.getElementById("a" + id);
    const hasFocus = old?.contains(document.activeElement);
    if (!row) old?.remove();
    else if (old) old.replaceWith(document.adoptNode(row));
    else if (new URLSearchParams(query).get("held") === "false") {
      row.classList.add("new");
      list.prepend(document.adoptNode(row));
    }
    if (row && hasFocus) focusRow(row);
  }

  function listen() {
    const stream = new EventSource(address("/api/v1/stream", "after=" + Math.max(shown, ...waiting)));
    stream.onopen = () => { state.textContent = "New alerts appear here at once."; };
    stream.onerror = () => {
      state.textContent = "The connection is lost. It is tried again.";
      // After an answer with an error, the browser does not try again by itself.
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
    };
    stream.addEventListener("alert", (event) => {
      const id = Number(event.lastEventId);
      if (id > shown) waiting.add(id);
      count();
    });
    // A row that cannot be read stays as it is until the page is loaded again.
    stream.addEventListener("told", (event) => { renew(JSON.parse(event.data).id).catch(() => {}); });
    stream.addEventListener("reset", () => location.reload());
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    count();
  });
  showNew.addEventListener("click", () => { isAsked = true; count(); });
  listen();
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
  if (row) focusRow(row);
}

function focusRow(row) {
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
