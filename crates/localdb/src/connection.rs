//! Just enough of the server's protocol to ask whether it is ready and to create a database.
//!
//! A driver would be a large dependency for two questions, and the client programs are not installed everywhere.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const PROTOCOL: i32 = 3 << 16;
const LONGEST_MESSAGE: usize = 1 << 16;

/// A session of the cluster's superuser.
pub(crate) struct Connection {
    stream: UnixStream,
}

/// Why the server did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody listens, or the connection broke.
    Io(io::Error),
    /// It answered with an error.
    Server { code: String, message: String },
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Connection {
    /// Opens a session; that succeeds only when the server accepts work.
    pub(crate) async fn open(socket: &Path, database: &str) -> Result<Self, Failure> {
        let mut connection = Self { stream: UnixStream::connect(socket).await? };
        let mut body = PROTOCOL.to_be_bytes().to_vec();
        for text in ["user", "attune", "database", database, ""] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        connection.send(None, &body).await?;
        connection.wait_until_ready().await?;
        Ok(connection)
    }

    /// Runs one statement that returns nothing.
    pub(crate) async fn execute(&mut self, statement: &str) -> Result<(), Failure> {
        let body = [statement.as_bytes(), &[0]].concat();
        self.send(Some(b'Q'), &body).await?;
        self.wait_until_ready().await
    }

    async fn send(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let length = i32::try_from(body.len() + 4).map_err(io::Error::other)?;
        let mut message = Vec::from_iter(kind);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(body);
        self.stream.write_all(&message).await
    }

    /// Reads up to `ReadyForQuery`, or up to the first error.
    async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        loop {
            let kind = self.stream.read_u8().await?;
            let length = usize::try_from(self.stream.read_i32().await?).map_err(io::Error::other)?;
            let length = length.checked_sub(4).filter(|length| *length <= LONGEST_MESSAGE);
            let mut body =
                vec![0; length.ok_or_else(|| io::Error::other("the server's answer is malformed"))?];
            self.stream.read_exact(&mut body).await?;
            match kind {
                b'Z' => return Ok(()),
                b'E' => return Err(refusal(&body)),
                // Settings, keys of cancellation, notices and completions are of no interest here.
                _ => {}
            }
        }
    }
}

/// An error is a list of strings, each with a letter that says what it is.
fn refusal(body: &[u8]) -> Failure {
    let field = |letter: u8| {
        body.split(|byte| *byte == 0)
            .find_map(|field| field.strip_prefix(&[letter]))
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .unwrap_or_default()
    };
    Failure::Server { code: field(b'C'), message: field(b'M') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_an_error() {
        let Failure::Server { code, message } = refusal(b"SFATAL\0VFATAL\0C3D000\0Mno such database\0\0")
        else {
            panic!("not the server's");
        };
        assert_eq!((code.as_str(), message.as_str()), ("3D000", "no such database"));
    }

    #[tokio::test]
    async fn a_socket_that_nobody_listens_on_is_an_io_failure() {
        let directory = tempfile::tempdir().unwrap();
        let failure = Connection::open(&directory.path().join("none"), "attune").await.err();
        assert!(matches!(failure, Some(Failure::Io(_))));
    }
}
