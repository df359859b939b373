# Prints one member of the JSON object on stdin; the exit code is 1 when it is absent or null, 2 when there is no object.
#
# A text is printed for printf's %b: what \u stands for becomes octal escapes of its UTF-8 bytes, because what awk makes
# of a byte differs from awk to awk. With raw=1 the member is printed as the JSON that it is.
# Strings are scanned in windows: looking at one character at a time, or at the whole rest, is too slow for long ones.

{ text = text $0 "\n" }

END {
    # The locale is C: positions are bytes, and the bytes of UTF-8 pass unchanged.
    at = 1
    if (next_token() != "{") exit 2
    while ((token = next_token()) == "\"") {
        start = at; skip_string(); key = substr(text, start, at - start - 1)
        if (next_token() != ":") exit 2
        token = next_token(); start = at - 1
        skip_value(token)
        if (unescaped(key) == name) { found = 1; first = start; last = at - 1 }
        if (next_token() != ",") break
    }
    if (!found || substr(text, first, 4) == "null") exit 1
    if (raw) printf "%s", substr(text, first, last - first + 1)
    else if (substr(text, first, 1) == "\"") print_string(first + 1, last - 1)
    else print_plain(first, last)
}

# The first character that is not white, passed over.
function next_token(    c) {
    while ((c = substr(text, at, 1)) ~ /[ \t\r\n]/) at++
    if (c == "") exit 2
    at++
    return c
}

# `at` is behind the opening quote; afterwards it is behind the closing one.
function skip_string(    window) {
    for (;;) {
        window = substr(text, at, 512)
        if (window == "") exit 2
        if (!match(window, /["\\]/)) { at += length(window); continue }
        at += RSTART
        if (substr(window, RSTART, 1) == "\"") return
        at++
    }
}

# A value whose first character is passed over already.
function skip_value(token,    depth) {
    if (token == "\"") { skip_string(); return }
    if (token != "{" && token != "[") {
        while (substr(text, at, 1) ~ /[-+.a-zA-Z0-9]/) at++
        return
    }
    for (depth = 1; depth > 0;) {
        token = next_token()
        if (token == "\"") skip_string()
        else if (token ~ /[\[{]/) depth++
        else if (token ~ /[]}]/) depth--
    }
}

# A key as it is compared with the name: names of parameters have no escapes but those that a writer may always use.
function unescaped(key) {
    gsub(/\\\//, "/", key)
    return key
}

# Whatever is no text: its backslashes are its own.
function print_plain(from, to,    i, window) {
    for (i = from; i <= to; i += 512) {
        window = substr(text, i, min(512, to - i + 1))
        gsub(/\\/, "\\\\&", window)
        printf "%s", window
    }
}

function print_string(from, to,    i, window, c) {
    for (i = from; i <= to;) {
        window = substr(text, i, min(512, to - i + 1))
        if (!match(window, /\\/)) { printf "%s", window; i += length(window); continue }
        printf "%s", substr(window, 1, RSTART - 1)
        i += RSTART
        c = substr(text, i, 1)
        i++
        if (c == "u") i = print_unicode(i)
        else if (c == "\\") printf "%s", "\\\\"
        else if (c ~ /[bfnrt]/) printf "\\%s", c
        else printf "%s", c
    }
}

# Four hexadecimal digits at i, and four more when they are half a character; returns the place behind them.
function print_unicode(i,    code, low) {
    code = hex(i); i += 4
    if (code >= 55296 && code < 56320 && substr(text, i, 2) == "\\u") {
        low = hex(i + 2)
        if (low >= 56320 && low < 57344) { code = 65536 + (code - 55296) * 1024 + (low - 56320); i += 6 }
    }
    # Half a character, or none: what Unicode provides for the unreadable.
    if ((code >= 55296 && code < 57344) || code == 0) code = 65533
    if (code < 128) byte(code)
    else if (code < 2048) { byte(192 + int(code / 64)); byte(128 + code % 64) }
    else if (code < 65536) { byte(224 + int(code / 4096)); byte(128 + int(code / 64) % 64); byte(128 + code % 64) }
    else { byte(240 + int(code / 262144)); byte(128 + int(code / 4096) % 64)
           byte(128 + int(code / 64) % 64); byte(128 + code % 64) }
    return i
}

function byte(code) { printf "\\0%03o", code }

function hex(i,    value, n) {
    for (n = 0; n < 4; n++) value = value * 16 + index("0123456789abcdef", tolower(substr(text, i + n, 1))) - 1
    return value
}

function min(a, b) { return a < b ? a : b }
