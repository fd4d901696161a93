// A server of our own for each test file: its own copy of the demonstration, its own clock and log.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = dirname(fileURLToPath(import.meta.url));
const root = resolve(folder, "../..");
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
export const serverProgram = join(target, process.env.RELAIS_PROFILE ?? "debug", "examples/clock_server");

/** Starts the program on a data folder; answers `{ base, accounts, pathways, pages, tell, stop }`. */
export async function startServer(data) {
  const child = spawn(serverProgram, [data], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the server stopped; its reason stands above");
    return value;
  };
  const told = JSON.parse(await line());
  return {
    base: told.base_url,
    accounts: told.accounts,
    pathways: told.pathways,
    /** The patterns of its pages: `/parcours/{pathway}/cercle`. */
    pages: told.pages,
    /** Moves the clock: `days 3`, `seconds 60`, `go 2027-05-02T00:00:00Z`; or announces the next charter: `publish`. */
    async tell(command) {
      child.stdin.write(command + "\n");
      return line();
    },
    stop() {
      return new Promise((done) => {
        child.once("exit", done);
        child.stdin.end();
      });
    },
  };
}
