"use strict";
/* A photograph or film with its segmentation or its landmarks, to enlarge and to scroll in. */

const FINE = 1200;

async function showPicture(place, base, study) {
  place.append(document.getElementById("picture").content.cloneNode(true));
  const one = name => place.querySelector(name);
  const image = await loadedImage(base + "image.png");
  image.alt = "The picture";
  const over = document.createElement("canvas");
  one(".stack").append(image, over);
  if (study.points.length) drawPoints(over, image, study.points);
  else if (study.files.includes("segmentation.png")) drawLabels(over, await loadedImage(base + "segmentation.png"), study.labels);
  if (!study.points.length) showLegend(one(".legend"), study.labels);
  over.style.opacity = study.points.length ? 1 : one(".opacity").value;
  one(".opacity").value = over.style.opacity;
  one(".opacity").oninput = event => { over.style.opacity = event.target.value; };
  const scroll = one(".scroll"), shape = image.naturalWidth / image.naturalHeight;
  const enlarge = () => { // at 1 x the whole picture is seen; what was in the middle stays there
    const [right, down] = [(scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth, (scroll.scrollTop + scroll.clientHeight / 2) / scroll.scrollHeight];
    one(".stack").style.width = one(".zoom").value * Math.min(scroll.clientWidth, 0.75 * innerHeight * shape) + "px";
    scroll.scrollTo(right * scroll.scrollWidth - scroll.clientWidth / 2, down * scroll.scrollHeight - scroll.clientHeight / 2);
    one(".zoom + output").value = one(".zoom").value + " x";
  };
  one(".zoom").oninput = enlarge;
  new ResizeObserver(enlarge).observe(scroll.parentElement);
  place.dataset.ready = "1";
}

function loadedImage(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image);
}

function drawLabels(canvas, labels, parts) {
  Object.assign(canvas, { width: labels.naturalWidth, height: labels.naturalHeight });
  const context = canvas.getContext("2d");
  context.drawImage(labels, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height), colours = parts.map(part => rgb(part.colour));
  for (let at = 0; at < pixels.data.length; at += 4) {
    const label = pixels.data[at];
    pixels.data.set(label ? [...(colours[label - 1] || [255, 255, 255]), 255] : [0, 0, 0, 0], at);
  }
  context.putImageData(pixels, 0, 0);
}

/* A cross and its number at each landmark: numbers as in the list of statements. */
function drawPoints(canvas, image, points) {
  const scale = Math.max(1, FINE / Math.max(image.naturalWidth, image.naturalHeight)); // lines are finer than a small picture's pixels
  Object.assign(canvas, { width: scale * image.naturalWidth, height: scale * image.naturalHeight });
  const context = canvas.getContext("2d"), size = Math.max(canvas.width, canvas.height) / 80;
  context.font = `${2 * size}px system-ui, sans-serif`;
  points.forEach((point, at) => {
    const x = scale * (point.column + 0.5), y = scale * (point.row + 0.5); // the middle of its pixel
    for (const [colour, width] of [["#000", size / 2], ["#f0e442", size / 4]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.beginPath();
      context.moveTo(x - size, y); context.lineTo(x + size, y); context.moveTo(x, y - size); context.lineTo(x, y + size);
      context.stroke();
    }
    Object.assign(context, { strokeStyle: "#000", lineWidth: size / 3, fillStyle: "#fff" });
    context.strokeText(at + 1, x + size, y - size / 2);
    context.fillText(at + 1, x + size, y - size / 2);
  });
}
