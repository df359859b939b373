//! One connection: its socket, its times, and its end.
//!
//! A refusal is often the answer to a request whose body is still coming. A socket that is closed then tells its peer that
//! the connection broke, and the answer is lost. So the answer is sent, nothing more is, and what still comes is thrown away
//! for a bounded time.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::crowd::Place;
use crate::door::Door;
use crate::limits::Limits;
use crate::timed::Timed;

/// What the kernel keeps of an answer for one connection. By itself it would keep megabytes.
const SEND_BUFFER: usize = 128 * 1024;

/// Serves requests until the peer goes, has to go, or takes too long.
pub(crate) async fn serve(stream: TcpStream, place: Place, door: Arc<Door>, stop: CancellationToken) {
    let (member, limits) = (Arc::clone(&place.member), door.limits());
    if let Err(error) = prepare(&stream, &limits) {
        tracing::debug!(error = &error as &dyn std::error::Error, "A connection has not all of its options");
    }
    let timed = Timed::new(stream, Arc::clone(&member), &limits);
    let service = service_fn(|request| {
        let (door, member) = (Arc::clone(&door), Arc::clone(&member));
        Box::pin(async move { Ok::<_, Infallible>(door.answer(request, &member).await) })
    });
    let mut served = http1::Builder::new()
        // Beyond this nothing is read of a head; the limit itself is the door's.
        .max_buf_size(2 * limits.head_bytes)
        .serve_connection(TokioIo::new(timed), service);
    let must_end = async {
        tokio::select! {
            () = stop.cancelled() => false,
            () = member.evicted() => !member.is_busy(),
            () = member.overdue(&limits) => true,
        }
    };
    let ended = tokio::select! {
        ended = poll_fn(|cx| served.poll_without_shutdown(cx)) => ended,
        is_at_once = must_end => {
            if is_at_once {
                return;
            }
            std::pin::Pin::new(&mut served).graceful_shutdown();
            tokio::select! {
                ended = poll_fn(|cx| served.poll_without_shutdown(cx)) => ended,
                () = member.overdue(&limits) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "A connection ended early");
    }
    let stream = served.into_parts().io.into_inner().into_inner();
    member.sent();
    tokio::select! {
        () = linger(stream, &limits) => {}
        () = member.evicted() => {}
        () = stop.cancelled() => {}
    }
}

/// An answer must not wait for the next one to be sent, nor for a reader that is gone or reads nothing.
fn prepare(stream: &TcpStream, limits: &Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER)?;
    let stall = u32::try_from(limits.stall.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(stream, stall)?)
}

/// Says that nothing more comes, and throws away what the peer still sends, so that it reads the answer.
async fn linger(mut stream: TcpStream, limits: &Limits) {
    let discard = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(limits.linger_bytes), &mut tokio::io::sink()).await
    };
    // However it ends, the connection does.
    drop(tokio::time::timeout(limits.linger, discard).await);
}
