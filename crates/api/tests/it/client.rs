//! A client that sends what it is told, also what no proper client would.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::sending("POST", path, content_type, body)
    }

    pub(crate) fn sending(method: &str, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        let request =
            Self::new(method, path).with("content-type", content_type).with("content-length", &length);
        Self { body, ..request }
    }

    pub(crate) fn json(path: &str, body: &Value) -> Self {
        Self::post(path, "application/json", body.to_string())
    }

    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { line: format!("{method} {path} HTTP/1.1"), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a value in place of the one that is there, or is added by default.
    pub(crate) fn replacing(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.with(name, value)
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// The bytes on the wire; a `host` is added when there is none.
    pub(crate) fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let host = ("host".to_owned(), address.to_string());
        let default = (!self.has("host")).then_some(&host);
        let headers = default.into_iter().chain(self.headers.iter().filter(|(_, value)| value != "(none)"));
        let lines: String = headers.flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        let head = format!("{}\r\n{lines}", self.line);
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.body.escape_ascii()))
    }

    /// The message of a failure, whose status it checks.
    pub(crate) fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body.escape_ascii());
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.json())).to_owned()
    }

    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body.escape_ascii());
        self.json()
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: &Request) -> Answer {
    raw(address, &request.clone().with("connection", "close").bytes(address)).await
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let bytes = bytes.to_vec();
    // A server may answer and close before it has read everything.
    let writing = tokio::spawn(async move { write.write_all(&bytes).await.map(|()| write) });
    let mut answer = Vec::new();
    read.read_to_end(&mut answer).await.unwrap();
    drop(writing.await);
    parse(&answer)
}

/// Sends all of the bytes before it reads anything, as many clients do.
pub(crate) async fn stubborn(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    parse(&answer)
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no head: {}", answer.escape_ascii()));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Answer { status, head, body: answer[end + 4..].to_vec() }
}
