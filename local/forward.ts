// Passes a request on to another server and its answer back, both as streams.

/** Headers that speak of one connection only (RFC 9110, section 7.6.1), or that fetch sets itself. */
const HOP_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
];

/**
 * Forwards a request to another server, with other headers if given. The forwarded request continues when
 * the client disconnects.
 * @returns the response; 'timeout' if it has not begun within `timeoutMs`; 'failed' if the server cannot be
 * reached or closes the connection first
 */
export async function forward(
  request: Request,
  url: string,
  timeoutMs: number,
  requestHeaders: Headers = request.headers,
): Promise<Response | "timeout" | "failed"> {
  const headers = withoutHopHeaders(requestHeaders);
  headers.set("accept-encoding", "identity");
  headers.set("x-forwarded-host", request.headers.get("host") ?? "");
  headers.set("x-forwarded-proto", "http");
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const response = await fetch(url, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      signal: timeout.signal,
    });
    return new Response(response.body, {
      status: response.status,
      statusText: response.statusText,
      headers: withoutHopHeaders(response.headers),
    });
  } catch {
    await request.body?.cancel().catch(() => {});
    return timeout.signal.aborted ? "timeout" : "failed";
  } finally {
    clearTimeout(timer);
  }
}

function withoutHopHeaders(source: Headers): Headers {
  const headers = new Headers(source);
  for (const name of HOP_HEADERS) headers.delete(name);
  return headers;
}
