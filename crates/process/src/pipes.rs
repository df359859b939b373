//! The pipes between the service and what it starts. Everything is close-on-exec: descriptors are handed on by name,
//! never by accident.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::net::unix::pipe::Receiver;

use crate::protocol::{GROUP_FD, RECORD_BYTES, Report};

/// The descriptors that a launcher gets, from 0 upwards, are copied one by one; one that is still needed must not be
/// in the way of an earlier copy. So all of them are first moved above the last number that is given out.
pub(crate) fn above_standard(descriptors: impl IntoIterator<Item = OwnedFd>) -> io::Result<Vec<OwnedFd>> {
    let last = GROUP_FD;
    let above =
        |fd: OwnedFd| if fd.as_raw_fd() > last { Ok(fd) } else { Ok(fcntl_dupfd_cloexec(fd, last + 1)?) };
    descriptors.into_iter().map(above).collect()
}

/// A pipe that is read here and written by a program.
pub(crate) fn to_here() -> io::Result<(Receiver, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((Receiver::from_owned_fd_unchecked(reader)?, writer))
}

/// A pipe that is read by a program and written here, where writing does not wait.
pub(crate) fn from_here() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    Ok((reader, writer))
}

/// A pipe on which a launcher reports.
pub(crate) fn status() -> io::Result<(StatusReader, OwnedFd)> {
    let (pipe, writer) = to_here()?;
    Ok((StatusReader { pipe }, writer))
}

/// The reading end of a launcher's report.
pub(crate) struct StatusReader {
    pipe: Receiver,
}

impl StatusReader {
    /// The next record; `None` when there will be no more. May be dropped while it waits without losing one.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Report>> {
        let mut bytes = [0; RECORD_BYTES];
        loop {
            self.pipe.readable().await?;
            match self.pipe.try_read(&mut bytes) {
                Ok(RECORD_BYTES) => return Ok(Report::from_bytes(&bytes)),
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
