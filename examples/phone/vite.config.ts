import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PUBLIC = here("public/");
const LITERT = here("node_modules/@litertjs/core/");
const { version } = JSON.parse(readFileSync(`${LITERT}package.json`, "utf8")) as { version: string };

/** Copies the runtime and a model next to the page, under their own names: both are fetched when the page runs. */
function staticFiles(): Plugin {
  const files: Record<string, string> = {
    "model.tflite": here("../../saved_models/activity_gru_phone/model.float32.tflite"),
    [`litert/${version}/LICENSE.txt`]: here("LICENSE.litert"),
    "assets/LICENSE-uqr.txt": here("LICENSE.uqr"),
    "person.tflite": here("person.tflite"),
    "assets/LICENSE-motionsense.txt": here("LICENSE.motionsense"),
  };
  for (const end of ["js", "wasm"]) {
    const name = `litert_wasm_compat_internal.${end}`;
    files[`litert/${version}/${name}`] = `${LITERT}wasm/${name}`;
  }
  return {
    name: "static-files",
    generateBundle() {
      // The models to choose from: `zoo serve` lists its own.
      const models = [{ name: "activity_gru_phone", file: "model.tflite" }];
      this.emitFile({ type: "asset", fileName: "models.json", source: JSON.stringify(models) });
      for (const [fileName, path] of Object.entries(files)) {
        this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
      }
    },
  };
}

/** Tells the service worker which files make up the page, and gives their whole a name. */
function offline(): Plugin {
  return {
    name: "offline",
    enforce: "post",
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("no service worker in the bundle");
      // The runtime is stored where it is used; other pages than a phone's are for computers.
      const elsewhere = /\.(tflite|txt)$|^litert\/|^try\.js$|^(assets\/)?(class|label)[.-]/;
      const stored = (name: string) => name === "person.tflite" || !elsewhere.test(name);
      const files = Object.values(bundle).filter((file) => file !== worker && stored(file.fileName));
      const names = files.map((file) => file.fileName.replace(/^index\.html$/, "./"));
      const digest = createHash("sha256");
      for (const file of files) digest.update(file.type === "chunk" ? file.code : file.source);
      for (const name of readdirSync(PUBLIC, { recursive: true, encoding: "utf8" })) {
        if (!name.includes(".")) continue;
        names.push(name.replaceAll("\\", "/"));
        digest.update(readFileSync(PUBLIC + name));
      }
      worker.code = worker.code
        .replace("__PAGE_FILES__", JSON.stringify(names))
        .replace("__PAGE_NAME__", JSON.stringify(digest.digest("hex").slice(0, 12)));
    },
  };
}

export default defineConfig({
  // Relative, so that the page works in any folder of any host.
  base: "./",
  define: {
    __LITERT_VERSION__: JSON.stringify(version),
    __LITERT_BYTES__: String(statSync(`${LITERT}wasm/litert_wasm_compat_internal.wasm`).size),
  },
  plugins: [staticFiles(), offline()],
  worker: { format: "es" },
  build: {
    // The last Safari of an iPhone 6s or 7, and of the others the first ones with all that the style sheets use.
    target: ["safari15.4", "chrome105", "firefox121"],
    outDir: here("../../zoo/page"),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        page: here("index.html"), collect: here("collect.html"), class: here("class.html"), sw: here("src/page/sw.ts"),
        try: here("src/cards/try.ts"), label: here("label.html"),
      },
      // These are named by others.
      output: { entryFileNames: ({ name }) => (["sw", "try"].includes(name) ? `${name}.js` : "assets/[name]-[hash].js") },
    },
  },
});
