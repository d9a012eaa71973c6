import { request } from 'node:https';

/** A request to a daemon of a test, on loopback, whose authority nobody trusts. @throws Error when it is refused. */
export function insecureFetch(
  url: string,
  options: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request(url, { ...options, rejectUnauthorized: false }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
    });
    response.on('end', () => {
      if ((response.statusCode ?? 500) < 300) resolve(text);
      else reject(new Error(`${options.method} ${url}: ${response.statusCode} ${text}`));
    });
  });
  call.on('error', reject);
  call.end(options.body);
  return promise;
}
