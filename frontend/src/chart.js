// <canvas data-chart="#json-script-id"> draws {"type": "line"|"bar"|"doughnut", "labels": […], "series": [{"label", "values", "color"?}]}
// that stands in the page as a json_script. The canvas needs role="img" and aria-label; put a table near it for the numbers.
import {
  ArcElement, BarController, BarElement, CategoryScale, Chart, DoughnutController, Filler, Legend, LinearScale,
  LineController, LineElement, PointElement, Tooltip,
} from "chart.js";

Chart.register(
  ArcElement, BarController, BarElement, CategoryScale, DoughnutController, Filler, Legend, LinearScale,
  LineController, LineElement, PointElement, Tooltip,
);

const palette = ["--tblr-primary", "--tblr-teal", "--tblr-orange", "--tblr-red", "--tblr-purple", "--tblr-yellow"];
// Colours may be written as color-mix() of others, which a canvas does not understand: the browser works them out.
const variable = (name) => {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
const drawn = new Map();

function colour(name, index) {
  return variable(name ? `--tblr-${name}` : palette[index % palette.length]);
}

function options(type) {
  const round = type === "doughnut";
  const grid = variable("--tblr-border-color");
  const text = variable("--tblr-secondary");
  const axis = { grid: { color: grid }, border: { display: false }, ticks: { color: text, maxRotation: 0, autoSkipPadding: 16, precision: 0 } };
  return {
    animation: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? false : { duration: 300 },
    maintainAspectRatio: false,
    locale: document.documentElement.lang,
    interaction: { mode: "index", intersect: false },
    cutout: round ? "70%" : undefined,
    plugins: { legend: { position: "bottom", labels: { color: text, boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 3 } } },
    scales: round ? {} : { x: { ...axis, grid: { display: false } }, y: { ...axis, beginAtZero: true } },
  };
}

function dataset(series, index, type) {
  const main = colour(series.color, index);
  if (type === "doughnut") {
    return { label: series.label, data: series.values, borderWidth: 0, backgroundColor: series.values.map((_, i) => colour(series.colors?.[i], i)) };
  }
  return {
    label: series.label, data: series.values, borderColor: main, backgroundColor: type === "bar" ? main : `color-mix(in srgb, ${main} 14%, transparent)`,
    fill: type === "line", borderWidth: 2, tension: 0.3, pointRadius: 0, pointHitRadius: 16, borderRadius: 3, maxBarThickness: 36,
  };
}

function draw(canvas) {
  drawn.get(canvas)?.destroy();
  const chart = JSON.parse(document.querySelector(canvas.dataset.chart).textContent);
  const data = { labels: chart.labels, datasets: chart.series.map((series, index) => dataset(series, index, chart.type)) };
  drawn.set(canvas, new Chart(canvas, { type: chart.type, data, options: options(chart.type) }));
}

new MutationObserver(() => [...drawn.keys()].forEach((canvas) => (canvas.isConnected ? draw(canvas) : drawn.delete(canvas)))).observe(
  document.documentElement,
  { attributeFilter: ["data-bs-theme"] },
);

export function start(canvas) {
  draw(canvas);
}
