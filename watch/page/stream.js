// The one connection to the server.
import { position } from './store.js';

let source = null;
let wanted = '';
let version = '';
let retry = 0;
let silent = 0;

const patience = 45000; // in milliseconds: the server sends something every 15 seconds

// connect asks for the rows of all runs and for the points of some. It is given
// what to do with them, and with the state of the connection.
export function connect(ids, on) {
  const list = ids.join(',');
  if (source && list === wanted && source.readyState !== EventSource.CLOSED) return;
  disconnect();
  wanted = list;
  source = new EventSource('api/stream?runs=' + list + '&from=' + encodeURIComponent(position(version, ids)));
  // A connection that broke on its way, as in a tunnel, has no end here: it is
  // silent.
  const heard = () => {
    clearTimeout(silent);
    silent = setTimeout(() => {
      on.state('no connection; trying again', 'lost');
      disconnect();
      connect(ids, on);
    }, patience);
  };
  heard();
  source.addEventListener('beat', heard);
  source.onopen = () => {
    heard();
    on.state('live', 'live');
  };
  source.onerror = () => {
    const lost = 'no connection; trying again';
    if (source.readyState !== EventSource.CLOSED) {
      on.state(lost, 'lost');
      return;
    }
    refusal(source.url).then((why) => { if (source?.readyState === EventSource.CLOSED) on.state(why || lost, 'lost'); });
    retry = setTimeout(() => connect(ids, on), 3000);
  };
  source.addEventListener('runs', (event) => {
    heard();
    version = event.lastEventId.split(',')[0];
    on.rows(JSON.parse(event.data));
  });
  source.addEventListener('points', (event) => {
    heard();
    on.points(JSON.parse(event.data));
  });
}

// refusal is why the server answers with an error, such as that a token is no
// longer right; nothing where it does not answer.
async function refusal(url) {
  const stop = new AbortController();
  try {
    const answer = await fetch(url, { signal: stop.signal });
    return answer.ok ? '' : (await answer.text()).trim();
  } catch {
    return '';
  } finally {
    stop.abort();
  }
}

// disconnect ends the connection; connect goes on where it was.
export function disconnect() {
  clearTimeout(retry);
  clearTimeout(silent);
  source?.close();
  source = null;
}
