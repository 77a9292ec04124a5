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
 * Forwards a request, with other headers if need be; it goes on when the client goes away. Answers 'timeout' when no answer has begun within `timeoutMs`, and 'failed'
 * when the other server cannot be reached or ends the connection first.
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
