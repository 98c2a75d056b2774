/** Serves `/<mebibytes>/<mebibytes per second, 0 = no limit>` until it is killed; prints its port. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const piece = Buffer.alloc(1 << 20, "0123456789abcdef");

const server = createServer((request, response) => {
  const [, size = "1", rate = "0"] = (request.url ?? "").split("/");
  const total = Number(size);
  const begin = performance.now();
  response.writeHead(200, { "content-length": total * piece.length });
  let sent = 0;
  const send = (): void => {
    while (sent < total) {
      const ahead = Number(rate) === 0 ? 0 : (1000 * sent) / Number(rate) - (performance.now() - begin);
      if (ahead > 1) {
        setTimeout(send, ahead);
        return;
      }
      sent++;
      if (!response.write(piece)) {
        response.once("drain", send);
        return;
      }
    }
    response.end();
  };
  send();
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
