// The one connection to the server.
import { position } from './store.js';

let source = null;
let wanted = '';
let version = '';
let retry = 0;

// connect asks for the rows of all runs and for the points of some. It is given
// what to do with them, and with the state of the connection.
export function connect(ids, on) {
  const list = ids.join(',');
  if (source && list === wanted && source.readyState !== EventSource.CLOSED) return;
  disconnect();
  wanted = list;
  source = new EventSource('api/stream?runs=' + list + '&from=' + encodeURIComponent(position(version, ids)));
  source.onopen = () => on.state('live', 'live');
  source.onerror = () => {
    on.state('no connection; trying again', 'lost');
    if (source.readyState !== EventSource.CLOSED) return;
    refusal(source.url).then((why) => { if (why && source?.readyState === EventSource.CLOSED) on.state(why, 'lost'); });
    retry = setTimeout(() => connect(ids, on), 3000);
  };
  source.addEventListener('runs', (event) => {
    version = event.lastEventId.split(',')[0];
    on.rows(JSON.parse(event.data));
  });
  source.addEventListener('points', (event) => on.points(JSON.parse(event.data)));
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
  source?.close();
  source = null;
}
