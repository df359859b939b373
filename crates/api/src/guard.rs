//! Which requests may ask at all, checked before anything of a request is read.
//!
//! A web page that a person on this machine looks at can make the browser send requests here. It cannot choose the `Host`
//! that the browser names, nor hide its `Origin`: so a name that is not this machine's is refused (the page's own name was
//! made to point here), and so is every origin but the API's own. A write names the token, which no page knows.

use std::net::IpAddr;

use attune_core::run_token::RunToken;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::failure::Failure;
use crate::run;
use crate::state::Api;

/// What a request says of itself.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Nothing, and it only reads.
    Nothing,
    /// The token of a run, which has to be looked up.
    Run(RunToken),
    /// The API's token, which is the right one.
    Token,
}

/// What a request says of itself, if it may ask what it asks. Nothing is waited for.
pub(crate) fn check(api: &Api, request: &Request) -> Result<Claim, Failure> {
    check_site(request)?;
    if let Some(token) = run::named(request.headers()) {
        return run::check(request.method(), request.uri()).map(|()| Claim::Run(token));
    }
    match check_token(api, request.headers()) {
        Ok(()) => Ok(Claim::Token),
        Err(_) if is_reading(request) => Ok(Claim::Nothing),
        Err(refusal) => Err(refusal),
    }
}

/// Whether a request changes nothing.
pub(crate) fn is_reading(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn check_site(request: &Request) -> Result<(), Failure> {
    check_origin(request.headers(), host(request)?)
}

/// The host that the request is for, which must be this machine by one of its own names.
fn host(request: &Request) -> Result<&str, Failure> {
    let mut named = request.headers().get_all(header::HOST).iter().map(HeaderValue::to_str);
    let (Some(Ok(host)), None) = (named.next(), named.next()) else {
        return Err(Failure::bad_request("the request must name one host"));
    };
    let in_target = request.uri().authority().map_or(host, |authority| authority.as_str());
    if is_loopback(host) && is_loopback(in_target) {
        return Ok(host);
    }
    let message = "the request is for another host; ask for 127.0.0.1, [::1] or localhost";
    Err(Failure::Refused(StatusCode::MISDIRECTED_REQUEST, message.to_owned()))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) if port.is_empty() || port.starts_with(':') => name,
        Some(_) => return false,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn check_origin(headers: &HeaderMap, host: &str) -> Result<(), Failure> {
    let is_own = |origin: &HeaderValue| {
        let authority = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    let is_near = |site: &HeaderValue| site == "same-origin" || site == "none";
    if headers.get_all(header::ORIGIN).iter().all(is_own)
        && headers.get_all("sec-fetch-site").iter().all(is_near)
    {
        return Ok(());
    }
    Err(Failure::Refused(StatusCode::FORBIDDEN, "requests from other sites are refused".to_owned()))
}

/// Whether a request names the token.
pub(crate) fn check_token(api: &Api, headers: &HeaderMap) -> Result<(), Failure> {
    let refuse = |message: &str| Err(Failure::Refused(StatusCode::UNAUTHORIZED, message.to_owned()));
    let Some(given) = headers.get(header::AUTHORIZATION).and_then(bearer) else {
        return refuse(
            "this needs the API's token: send `Authorization: Bearer TOKEN` with the token in api.token in the data directory, or in ATTUNE_API_TOKEN",
        );
    };
    if api.token.is(given) {
        return Ok(());
    }
    refuse(
        "the token is not the API's: it is in api.token in the data directory, unless ATTUNE_API_TOKEN was set at the API's start",
    )
}

/// The token that a request names.
pub(crate) fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_count() {
        for good in ["localhost", "LocalHost:80", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:8080"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "[::1]evil",
            "[::2]",
            "::1:80",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn the_only_origin_is_the_apis_own() {
        let with = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            check_origin(&headers, "localhost:8080").is_ok()
        };
        assert!(check_origin(&HeaderMap::new(), "localhost:8080").is_ok());
        assert!(with("origin", "http://localhost:8080") && with("sec-fetch-site", "same-origin"));
        for bad in ["null", "http://localhost:3000", "https://localhost:8080", "http://evil.example", ""] {
            assert!(!with("origin", bad), "{bad}");
        }
        assert!(!with("sec-fetch-site", "cross-site") && !with("sec-fetch-site", "same-site"));
    }
}
