"use strict";
/* Upload, progress, result. */

const NO_IMAGE = /(^|\/)\.|\.(txt|html?|xml|json|csv|pdf|exe|dll|inf|ini|js|css|db|log|md)$/i;
const form = find("form"), state = find("state"), bar = find("bar"), results = find("results");
let chosen = [], job = null, events = null;

function say(text) {
  state.textContent = text;
}

/* Choosing */

function choose(files) {
  chosen = files.filter(file => !NO_IMAGE.test(file.webkitRelativePath || file.name));
  const size = chosen.reduce((sum, file) => sum + file.size, 0) / 2 ** 20;
  find("chosen").value = `${chosen.length} file${chosen.length === 1 ? "" : "s"}, ${size.toFixed(1)} MiB`;
}

find("files").onchange = event => { find("folder").value = ""; choose([...event.target.files]); };
find("folder").onchange = event => { find("files").value = ""; choose([...event.target.files]); };

const drop = find("drop");
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, event => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
document.addEventListener("drop", async event => {
  if (job) return;
  const entries = [...event.dataTransfer.items].map(item => item.webkitGetAsEntry()).filter(Boolean);
  choose((await Promise.all(entries.map(filesOf))).flat());
});

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader(), inside = [];
  for (;;) { // a folder is read in parts
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return (await Promise.all(inside.map(filesOf))).flat();
    inside.push(...part);
  }
}

/* Uploading: the header says that this page asks, and no page of another site */

function ask(method, url, body = null, progress = null) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader("X-Caveat", "1");
    request.upload.onprogress = progress;
    request.onload = () => (request.status < 300 ? resolve(request.responseText) : reject(new Error(request.responseText)));
    request.onerror = () => reject(new Error("the server does not answer"));
    request.send(body);
  });
}

async function upload() {
  const total = chosen.reduce((sum, file) => sum + file.size, 0);
  if (!chosen.length) throw new Error("choose an image first");
  if (chosen.length > Number(form.dataset.files)) throw new Error(`more than ${form.dataset.files} files`);
  if (total > Number(form.dataset.bytes)) throw new Error(`larger than the ${Math.round(form.dataset.bytes / 2 ** 20)} MiB that are taken`);
  const stated = new FormData(form), query = new URLSearchParams();
  for (const name of ["bundle", "spacing", "point"]) if (stated.get(name)) query.set(name, stated.get(name).replace(/\s+/g, ""));
  job = JSON.parse(await ask("POST", "/jobs?" + query)).id;
  listen();
  let sent = 0;
  for (const file of chosen) {
    await ask("PUT", `/jobs/${job}/files`, file, event => { bar.value = (sent + event.loaded) / total; });
    sent += file.size;
  }
  await ask("POST", `/jobs/${job}/start`);
}

form.onsubmit = async event => {
  event.preventDefault();
  forget();
  Object.assign(bar, { hidden: false, value: 0 });
  find("go").disabled = true;
  say("Uploading.");
  try {
    await upload();
  } catch (error) {
    forget();
    say(`Not measured: ${error.message}.`);
  }
};

/* Following */

function listen() {
  events = new EventSource(`/jobs/${job}/events`);
  events.onmessage = event => follow(JSON.parse(event.data));
}

function follow(told) {
  if (told.state === "uploading") return;
  bar.hidden = true;
  if (told.state === "waiting") say(told.before ? `Waiting: ${told.before} before you.` : "Waiting.");
  if (told.state === "running") say(`Measuring: ${told.seconds} s${told.progress && `, ${told.progress} studies done`}.`);
  if (told.state === "deleted") { forget(); say("Image and result were deleted."); }
  if (told.state === "failed") { say("Not measured."); showResults([{ reasons: [told.reason] }]); }
  if (told.state === "done") {
    say(told.reason ? "Not all of it was measured." : "");
    showResults(told.reason ? [...told.studies, { reasons: [told.reason] }] : told.studies);
  }
}

/* Showing */

function showResults(studies) {
  if (!results.hidden) return;
  form.hidden = true;
  results.hidden = false;
  const again = element("button", "Delete this and measure another", { className: "quiet", type: "button", onclick: () => { forget(); say("Image and result were deleted."); } });
  results.replaceChildren(...studies.map(study => (study.number ? article(study, titleOf(study, studies.length), `/jobs/${job}/${study.number}/`) : reasonsOf(study.reasons))), again);
  results.tabIndex = -1;
  results.focus();
}

function titleOf(study, count) {
  const said = SAID[study.status];
  return count > 1 ? `Study ${study.number}: ${said}` : said[0].toUpperCase() + said.slice(1);
}

/* Leaving: what was uploaded goes too. A page that is killed is noticed by the server, to which it does not listen any more. */

function forget() {
  if (events) events.close();
  if (job) fetch(`/jobs/${job}`, { method: "DELETE", headers: { "X-Caveat": "1" }, keepalive: true }).catch(() => {});
  [job, events] = [null, null];
  results.replaceChildren();
  results.hidden = true;
  form.hidden = false;
  bar.hidden = true;
  find("go").disabled = false;
}

window.addEventListener("pagehide", forget);
