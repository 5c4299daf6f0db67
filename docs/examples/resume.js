// Prints each message once, in order, over any number of cuts and restarts: node resume.js ws://127.0.0.1:8080/ws TOKEN
// A browser has WebSocket built in; there, say the URL and the token here instead.
const Socket = globalThis.WebSocket ?? require("ws");
const [url, token] = process.argv.slice(2);
let log, position = 0;

function open() {
  let pause = 2000 * Math.random(); // so that not all clients come back at once
  const resume = log ? `?after=${position}&log=${log}` : "";
  const socket = new Socket(url + resume, ["bearer", token]);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    log ??= frame.log; // of the first greeting
    if (frame.code === 50022 && frame.log) { // our position means nothing there; go on from theirs
      ({ log, offset: position } = frame);
      pause = 0;
      socket.onmessage = null;
      return socket.close();
    }
    if (frame.event === "message") console.log(`${frame.sender}: ${frame.content}`);
    position = Math.max(position, frame.offset ?? 0, frame.at ?? 0);
    pause = frame.retry_after_ms ?? pause;
  };
  socket.onerror = ({ message }) => console.error("cut off:", message);
  socket.onclose = () => setTimeout(open, pause);
}

open();
