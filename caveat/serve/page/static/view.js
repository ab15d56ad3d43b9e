"use strict";
/* The studies of a run: a table, worth a look first on top, then one at a time, with what the reader says of it. */

const ALL = { "": () => true, refused: study => study.status === "REFUSED", "nothing found": study => study.status === "NOTHING_FOUND", measured: study => study.status === "OK" };
let studies = [], shown = [], at = -1, opened = null;

const codesOf = study => [...study.reasons, ...study.notes].map(reason => reason.code);
const textOf = study => [study.name, ...study.statements, ...codesOf(study), study.note].join(" ").toLowerCase();
const fileOf = (study, name) => `/studies/${study.number}/files/${name}`;

/* The table */

async function readFolder() {
  const answer = await fetch("/studies");
  if (!answer.ok) return void (find("counts").textContent = `Not read: ${await answer.text()}.`);
  studies = await answer.json();
  const said = Object.keys(ALL).slice(1).map(name => [name, studies.filter(ALL[name]).length]);
  const codes = [...new Set(studies.flatMap(codesOf))].sort().map(code => [code, studies.filter(study => codesOf(study).includes(code)).length]);
  find("counts").textContent = `${studies.length} ${studies.length === 1 ? "study" : "studies"}: ` + said.map(([name, count]) => `${count} ${name}`).join(", ");
  const chosen = find("only").value;
  find("only").replaceChildren(new Option("all", ""), ...[...said, ...codes].map(([name, count]) => new Option(`${name} (${count})`, name)));
  find("only").value = [...find("only").options].some(option => option.value === chosen) ? chosen : "";
  choose();
}

function choose() {
  const only = find("only").value, words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = ALL[only] || (study => codesOf(study).includes(only));
  shown = studies.filter(study => kept(study) && !(find("unseen").checked && study.looked_at) && words.every(word => textOf(study).includes(word)));
  find("rows").replaceChildren(...shown.map(row));
  at = -1;
}

function row(study, index) {
  const made = element("tr", ""), link = element("a", study.name, { href: `#${study.number}` });
  const cells = ["picture", "name", "result", "agreement", "reader"].map(name => element("td", "", { className: name }));
  const picture = ["thumbnail.png", "preview.png"].find(name => study.files.includes(name));
  if (picture) cells[0].append(element("img", "", { src: fileOf(study, picture), loading: "lazy", alt: "" }));
  cells[1].append(link);
  if (study.status !== "OK") cells[2].append(element("p", SAID[study.status], { className: "badge" }));
  cells[2].append(...study.statements.map(text => element("p", text)), ...codesOf(study).map(code => element("code", code)));
  if (study.agreement !== null && study.status === "OK") cells[3].textContent = study.agreement.toFixed(3);
  cells[4].append(...[study.looked_at ? "looked at" : "", study.note].filter(Boolean).map(text => element("p", text)));
  made.append(...cells);
  made.onclick = event => { if (event.target !== link) open(study); };
  link.onfocus = () => { at = index; };
  return made;
}

function move(by) {
  if (!shown.length) return;
  at = Math.max(0, Math.min(shown.length - 1, at + by));
  find("rows").children[at].querySelector("a").focus();
}

/* One study. Its number stands in the address, and no name: a browser remembers addresses. */

function open(study) {
  location.hash = study.number;
}

function follow() {
  const study = studies.find(one => String(one.number) === location.hash.slice(1));
  find("place").querySelector(".view")?.dispatchEvent(new Event("leave"));
  find("place").replaceChildren();
  find("all").hidden = Boolean(study);
  find("one").hidden = !study;
  const before = opened;
  opened = study || null;
  if (study) show(study);
  else if (before) { choose(); at = shown.indexOf(before); move(0); }
}

async function show(study) {
  const place = shown.indexOf(study), made = article(study, `${study.name}: ${SAID[study.status]}`, fileOf(study, ""));
  find("previous").disabled = place < 1;
  find("next").disabled = place < 0 || place === shown.length - 1;
  find("place").append(made);
  if (!study.files.some(name => name.startsWith("image."))) {
    made.querySelector(".view").append(element("p", "The image is not among the results (caveat predict --image keeps it): the report shows what it was made of.", { className: "soft" }));
    made.querySelector(".report").open = true;
  }
  Object.assign(find("looked"), { checked: study.looked_at });
  Object.assign(find("note"), { value: study.note });
  find("kept").value = "";
  made.tabIndex = -1;
  made.focus();
  find("changed").hidden = true;
  const changed = await (await fetch(`/studies/${study.number}/changed`)).json();
  if (opened !== study || !changed.length) return;
  find("changed").textContent = `Changed or removed since the study was measured: ${changed.join(", ")}. What the result says is of the files as they were.`;
  find("changed").hidden = false;
}

function step(by) {
  const next = shown[shown.indexOf(opened) + by];
  if (opened && next) open(next);
}

async function keep() {
  const study = opened, note = { looked_at: find("looked").checked, note: find("note").value };
  if (!study || (note.looked_at === study.looked_at && note.note === study.note)) return;
  const answer = await fetch(`/studies/${study.number}/note`, { method: "PUT", headers: { "X-Caveat": "1" }, body: JSON.stringify(note), keepalive: true }).catch(() => null);
  if (answer?.ok) Object.assign(study, note);
  find("kept").value = answer?.ok ? "Kept." : `Not kept: ${answer ? await answer.text() : "the server does not answer"}.`;
}

find("looked").onchange = find("note").onchange = keep;
find("reader").onsubmit = event => event.preventDefault();
find("search").oninput = find("only").onchange = find("unseen").onchange = choose;
find("again").onclick = readFolder;
find("back").onclick = () => { location.hash = ""; };
find("previous").onclick = () => step(-1);
find("next").onclick = () => step(1);
window.addEventListener("hashchange", follow);

const TABLE_KEYS = { j: () => move(1), k: () => move(-1), "/": () => find("search").focus() };
const STUDY_KEYS = { j: () => step(1), k: () => step(-1), n: () => find("note").focus(), l: () => { find("looked").checked = !find("looked").checked; keep(); }, Escape: () => { location.hash = ""; } };
document.addEventListener("keydown", event => {
  const writing = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && writing) return event.target.blur();
  const act = !writing && !event.ctrlKey && !event.metaKey && !event.altKey && (opened ? STUDY_KEYS : TABLE_KEYS)[event.key];
  if (act) { event.preventDefault(); act(); }
});

readFolder().then(follow);
