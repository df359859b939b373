"""Sends one HTTP request and returns what came back."""

import json
import urllib.error
import urllib.request

# The result has a limit; a longer body is cut and marked as such.
MAX_BODY = 512 * 1024


def run(url, method="GET", headers=None, body=None, timeout=30, accept_status=()):
    if not url.startswith(("http://", "https://")):
        # urllib would also open files.
        raise ValueError("the URL must begin with http:// or https://")
    request = urllib.request.Request(url, method=method, data=encoded(body))
    request.add_header("User-Agent", "attune")
    if body is not None and not isinstance(body, str):
        request.add_header("Content-Type", "application/json")
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    response = send(request, timeout)
    with response:
        result = described(response)
    if result["status"] >= 400 and result["status"] not in accept_status:
        print(result["body"])
        raise SystemExit("%s %s: status %d" % (method, url, result["status"]))
    return result


def encoded(body):
    if body is None:
        return None
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def send(request, timeout):
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as response:
        return response
    except urllib.error.URLError as error:
        raise SystemExit("%s %s: %s" % (request.method, request.full_url, error.reason))


def described(response):
    raw = response.read(MAX_BODY + 1)
    text = raw[:MAX_BODY].decode(response.headers.get_content_charset() or "utf-8", "replace")
    return {
        "status": response.status,
        "url": response.url,
        "headers": {name.lower(): value for name, value in response.headers.items()},
        "body": parsed(text, response.headers.get_content_type()),
        "truncated": len(raw) > MAX_BODY,
    }


def parsed(text, content_type):
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text.replace("\0", "\ufffd")
