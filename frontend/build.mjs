// Bundles the front end into src/envoi/console/static/envoi/dist: scripts, one style sheet, the icons in use, and
// manifest.json, by which the templates find the hashed names. Run by hatch_build.py; by hand: `npm run build`.
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "../src/envoi/console/static/envoi/dist");
const entries = ["console.js", "theme.js", "console.css"];

const options = {
  absWorkingDir: here,
  entryPoints: entries.map((name) => `src/${name}`),
  outdir: out,
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  entryNames: "[name].[hash]",
  chunkNames: "chunk-[name].[hash]",
  assetNames: "asset-[name].[hash]",
  metafile: true,
  legalComments: "linked",
  logLevel: "warning",
};

function icons() {
  const drawn = {};
  for (const name of readFileSync(join(here, "icons.txt"), "utf8").split("\n").filter(Boolean)) {
    const svg = readFileSync(join(here, "node_modules/@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    drawn[name] = [...svg.matchAll(/<(path|circle|rect|line|polyline)\b[^>]*\/>/g)]
      .map(([element]) => element.replace(/\s+/g, " "))
      .filter((element) => !element.includes('stroke="none"'))
      .join("");
  }
  return drawn;
}

function compress(paths) {
  for (const path of paths.filter((path) => /\.(js|css)$/.test(path))) {
    const file = join(here, path);
    const content = readFileSync(file);
    writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
    writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}

function finish(result) {
  const manifest = {};
  for (const [path, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    if (entryPoint && entries.includes(basename(entryPoint))) manifest[basename(entryPoint)] = basename(path);
  }
  compress(Object.keys(result.metafile.outputs));
  writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 1));
  writeFileSync(join(out, "icons.json"), JSON.stringify(icons()));
}

// The script for other people's pages: one plain file whose name stays, for browsers as old as their customers'.
const alone = {
  ...options,
  entryPoints: ["src/notices.js"],
  splitting: false,
  format: "iife",
  entryNames: "[name]",
  legalComments: "none",
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
if (process.argv.includes("--watch")) {
  const plugin = { name: "finish", setup: (build) => build.onEnd((result) => result.metafile && finish(result)) };
  await (await esbuild.context({ ...options, plugins: [plugin] })).watch();
  await (await esbuild.context(alone)).watch();
} else {
  const [built, script] = await Promise.all([esbuild.build(options), esbuild.build(alone)]);
  finish(built);
  compress(Object.keys(script.metafile.outputs));
}
