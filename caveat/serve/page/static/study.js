"use strict";
/* One study: its sentences or why there are none, the image, the report, the files. Text is set as text, never as markup. */

const find = id => document.getElementById(id);

function element(name, text, properties = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, properties);
}

const SAID = { OK: "measured", NOTHING_FOUND: "nothing found", REFUSED: "refused" };

/* title: above it. base: address that the names of its files follow. */
function article(study, title, base) {
  const made = find("study").content.cloneNode(true).firstElementChild;
  made.querySelector("h2").textContent = title;
  const statements = made.querySelector(".statements"), many = study.points.length > 3;
  if (study.status !== "OK") statements.append(reasonsOf(study.reasons));
  study.statements.forEach((text, at) => statements.append(element("p", many ? `${at + 1}. ${text}` : text, { className: many ? "listed" : "" })));
  made.querySelector(".notes").append(...study.notes.map(note => element("li", `${note.code}: ${note.message}. What to do: ${note.what_to_do}.`)));
  const details = made.querySelector(".report");
  details.hidden = !study.files.includes("report.html");
  details.ontoggle = () => {
    if (!details.querySelector("iframe")) details.append(element("iframe", "", { title: "Report", src: base + "report.html" }));
  };
  for (const name of study.files) {
    const entry = element("li", "");
    entry.append(element("a", name, { href: base + name, download: name }));
    made.querySelector(".files").append(entry);
  }
  const view = made.querySelector(".view"), failed = error => view.replaceChildren(element("p", `The image cannot be shown here: ${error.message}. The report shows it.`));
  if (study.files.includes("image.nii.gz")) requestAnimationFrame(() => showVolume(view, base, study).catch(failed));
  if (study.files.includes("image.png")) showPicture(view, base, study).catch(failed);
  return made;
}

function reasonsOf(reasons) {
  const made = element("div", "");
  made.append(...reasons.map(reason => {
    const one = element("div", "", { className: "reason" });
    one.append(element("p", `${reason.code}: ${reason.message}`), element("p", `What to do: ${reason.what_to_do}`));
    return one;
  }));
  return made;
}
