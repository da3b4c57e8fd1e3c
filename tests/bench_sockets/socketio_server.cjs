// socket.io with its defaults: a room for each user, published to by POST.
const http = require("node:http");
const { Server } = require("socket.io");

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    if (request.method === "POST") {
      const to = new URL(request.url, "http://localhost").searchParams.get("to");
      (to === null ? io : io.to("user." + to)).emit("message", JSON.parse(Buffer.concat(parts)));
    }
    response.writeHead(200, { "Content-Length": 2 });
    response.end("ok");
  });
});
server.keepAliveTimeout = 600000;
server.maxRequestsPerSocket = 0;
const io = new Server(server, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => socket.join("user." + socket.handshake.auth.user));
server.listen({ fd: Number(process.argv[2]) });
