/**
 * Loads a package once, or again and again: arguments are the request as JSON, its options, and "shifted" for a clock that is a year ahead.
 * Prints a JSON line with the result or the error.
 */
import { materializePackage, type MaterializeOptions, type MaterializeRequest } from "../../../src/store/index.js";

const [, , request = "", options = "{}", clock = ""] = process.argv;

if (clock === "shifted") {
  const now = Date.now.bind(Date);
  Date.now = () => now() + 365 * 24 * 3600 * 1000;
}
try {
  const { bytesDownloaded, fromCache, directory } = await materializePackage(
    JSON.parse(request) as MaterializeRequest,
    JSON.parse(options) as MaterializeOptions,
  );
  process.stdout.write(`${JSON.stringify({ bytesDownloaded, fromCache, directory })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error })}\n`);
}
// What keeps a connection open keeps nobody waiting.
process.exit(0);
