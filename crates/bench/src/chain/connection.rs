//! One open HTTP connection, with nothing between the benchmark and the socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    token: String,
}

impl Connection {
    /// Connects to the API whose address and token are in `data_dir`.
    pub(crate) fn open(data_dir: &Path) -> anyhow::Result<Self> {
        Self::with_token(data_dir, std::fs::read_to_string(data_dir.join("api.token"))?.trim())
    }

    /// The same with another token.
    pub(crate) fn with_token(data_dir: &Path, token: &str) -> anyhow::Result<Self> {
        let url = std::fs::read_to_string(data_dir.join("api.url"))?;
        let host = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host, token: token.to_owned() })
    }

    /// Posts events and waits for their acknowledgement.
    pub(crate) fn post_event(&mut self, body: &str) -> anyhow::Result<()> {
        let request = format!(
            "POST /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (status, length) = self.read_head()?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        anyhow::ensure!(status.contains(" 201 "), "{status}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    fn read_head(&mut self) -> anyhow::Result<(String, usize)> {
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                return Ok((status, length));
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
    }
}
