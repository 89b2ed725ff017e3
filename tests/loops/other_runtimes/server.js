// A server of one path each that does nothing, or keeps the loop: what is said of it is in run.
const http = require('http');
const word = () => new Int32Array(new SharedArrayBuffer(4));
const paths = {
  '/ping': () => {},
  '/exec': () => require('child_process').execSync('sleep 60'),
  '/wait': () => Atomics.wait(word(), 0, 0),
  '/spin': () => { for (;;); },
};
const server = http.createServer((request, response) => {
  paths[request.url]();
  response.end('ok\n');
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
