'use strict';
// Load the harness and hand it the input.  Usage: inside.cjs TARGET HARNESS FILE

const fs = require('fs');
const { pathToFileURL } = require('url');

const [, , , harness, file] = process.argv;

globalThis.SecurityGuaranteeBroken = class SecurityGuaranteeBroken extends Error {
  constructor(...args) {
    super(...args);
    this.name = 'SecurityGuaranteeBroken';
  }
};

async function main() {
  const data = fs.readFileSync(file);
  const loaded = await import(pathToFileURL(harness).href);
  const entry = loaded.fuzz ?? loaded.default?.fuzz ?? loaded.default?.default?.fuzz;
  const result = await entry(data);
  if (result !== undefined) console.log(result);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
