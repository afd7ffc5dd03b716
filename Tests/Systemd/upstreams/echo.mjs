// An MCP server over stdio for Node: compiles to machine code and WebAssembly, starts a worker, writes to /tmp.
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";

const emptyModule = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

async function doNodeThings() {
  await WebAssembly.instantiate(emptyModule);
  let sum = 0;
  for (let i = 0; i < 1_000_000; i++) sum += i % 7; // hot enough for the compiler
  writeFileSync(`/tmp/written-${process.pid}`, "x");
  const said = await new Promise((resolve, reject) => {
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage('hello')", { eval: true });
    worker.once("message", resolve).once("error", reject);
  });
  return `${process.version} ${sum > 0} ${said}`;
}

async function resultOf({ method, params }) {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "node", version: "1" },
      };
    case "tools/list":
      return { tools: [{ name: "do_node_things", inputSchema: { type: "object" } }] };
    case "tools/call":
      return { content: [{ type: "text", text: await doNodeThings() }] };
    default:
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if ("id" in message && "method" in message) {
    const result = await resultOf(message);
    process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result })}\n`);
  }
}
