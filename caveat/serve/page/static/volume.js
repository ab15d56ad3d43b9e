"use strict";
/* A volume in NiiVue, laid out as a radiologist looks: left and right as in the report. */

const AXES = { 0: 2, 1: 1, 2: 0, 3: 2 }; // plane, as NiiVue numbers them, to the axis along which its slices follow each other
const LABELS = ["segmentation", "samples"];
const SHADES = { segmentation: null, samples: null, probability: "viridis", entropy: "inferno", mutual_information: "inferno" };
const TITLES = { samples: "the draws, one by one" };

function fetched(script) {
  return new Promise((resolve, reject) => {
    if (window.niivue) return resolve();
    const element = document.createElement("script");
    element.src = script;
    element.onload = resolve;
    element.onerror = () => reject(new Error("the viewer could not be loaded"));
    document.head.append(element);
  });
}

async function showVolume(place, base, study) {
  await fetched("/static/niivue.umd.js");
  place.append(document.getElementById("volume").content.cloneNode(true));
  const one = name => place.querySelector(name);
  const canvas = one("canvas");
  canvas.setAttribute("aria-label", "The volume with its segmentation; the fields below move through it");
  const nv = new niivue.Niivue({
    backColor: [0, 0, 0, 1], isRadiologicalConvention: true, isRuler: true, loadingText: "", dragAndDropEnabled: false,
    multiplanarShowRender: niivue.SHOW_RENDER.NEVER, sagittalNoseLeft: true, showAllOrientationMarkers: true,
    crosshairWidth: 0.3, crosshairWidthUnit: "percent", crosshairColor: [1, 1, 1, 0.6],
  });
  await nv.attachToCanvas(canvas);
  await nv.loadVolumes([{ url: base + "image.nii.gz", colormap: "gray" }]);
  nv.setRadiologicalConvention(true);
  const image = nv.volumes[0];

  const names = Object.keys(SHADES).filter(name => study.files.includes(name + ".nii.gz"));
  one(".over").append(...names.map(name => new Option(TITLES[name] || name.replace("_", " "), name)), new Option("nothing", ""));
  const showDraw = number => {
    const draws = nv.volumes[1];
    nv.setFrame4D(draws.id, number - 1);
    Object.assign(one(".draw"), { min: 1, max: draws.nFrame4D, value: number });
    one(".draws output").value = `${number} of ${draws.nFrame4D}`;
  };
  const over = async name => {
    while (nv.volumes.length > 1) nv.removeVolume(nv.volumes[1]);
    one(".legend").hidden = !LABELS.includes(name);
    one(".draws").hidden = name !== "samples";
    if (name) {
      await nv.addVolumeFromUrl({ url: base + name + ".nii.gz", opacity: Number(one(".opacity").value), colormap: SHADES[name] || "gray" });
      if (LABELS.includes(name)) colourLabels(nv.volumes[1], study.labels);
      if (name === "samples") showDraw(1);
    }
    nv.updateGLVolume();
  };
  await over(names[0] || "");
  if (names[0] === "segmentation") nv.scene.crosshairPos = middle(nv, nv.volumes[1]);

  const axis = () => AXES[one(".plane").value];
  const place_slice = () => {
    const count = image.dimsRAS[1 + axis()], at = Math.min(count - 1, Math.floor(nv.scene.crosshairPos[axis()] * count));
    Object.assign(one(".slice"), { min: 1, max: count, value: at + 1 });
    one(".at").value = `${at + 1} of ${count}`;
  };
  const show_window = () => { one(".low").value = +image.cal_min.toPrecision(4); one(".high").value = +image.cal_max.toPrecision(4); };
  nv.onLocationChange = place_slice;
  nv.onIntensityChange = show_window;
  one(".plane").onchange = event => { nv.setSliceType(Number(event.target.value)); place_slice(); };
  one(".slice").oninput = event => {
    nv.scene.crosshairPos[axis()] = (Number(event.target.value) - 0.5) / image.dimsRAS[1 + axis()];
    nv.drawScene();
    place_slice();
  };
  one(".over").onchange = event => over(event.target.value);
  one(".draw").oninput = event => showDraw(Number(event.target.value));
  one(".opacity").oninput = event => { if (nv.volumes[1]) nv.setOpacity(1, Number(event.target.value)); };
  one(".low").onchange = event => { image.cal_min = Number(event.target.value); nv.updateGLVolume(); };
  one(".high").onchange = event => { image.cal_max = Number(event.target.value); nv.updateGLVolume(); };
  nv.setSliceType(3);
  showLegend(one(".legend"), study.labels);
  show_window();
  place_slice();
  nv.drawScene();
  place.addEventListener("leave", () => nv.gl.getExtension("WEBGL_lose_context")?.loseContext()); // a browser has few of them
  place.dataset.ready = "1";
}

function colourLabels(volume, labels) {
  const parts = [[0, 0, 0], ...labels.map(label => rgb(label.colour))];
  const channel = at => parts.map(part => part[at]);
  volume.setColormapLabel({ R: channel(0), G: channel(1), B: channel(2), A: parts.map((_, at) => (at ? 255 : 0)), I: parts.map((_, at) => at), labels: ["", ...labels.map(label => label.name)] });
}

/* Of what is segmented, as shares of the grid along x, y, z (RAS); the grid's own middle where nothing is. */
function middle(nv, volume) {
  const [, columns, rows, slices] = volume.hdr.dims, sum = [0, 0, 0];
  let count = 0;
  for (let z = 0, at = 0; z < slices; z++) for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++, at++)
    if (volume.img[at]) { sum[0] += x; sum[1] += y; sum[2] += z; count++; }
  if (!count) return [0.5, 0.5, 0.5];
  const [i, j, k] = sum.map(total => total / count);
  return nv.mm2frac(volume.hdr.affine.slice(0, 3).map(row => row[0] * i + row[1] * j + row[2] * k + row[3]));
}

function rgb(colour) {
  return [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
}

function showLegend(list, labels) {
  list.replaceChildren(...labels.map(label => {
    const entry = document.createElement("li"), swatch = document.createElement("i");
    swatch.style.background = label.colour;
    entry.append(swatch, label.name);
    return entry;
  }));
}
