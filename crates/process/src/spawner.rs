//! The one thread that starts processes.
//!
//! The kernel binds "tell me when my parent dies" to the thread that made the process, not to its process. A thread of
//! a pool may end at any time; this one lives as long as the service, so what it starts is told of nothing less.
//! Starting takes well under a millisecond, so one thread is enough, and it keeps the async threads from waiting.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::sync::oneshot;

use crate::child::{Child, Farewell};
use crate::group::Group;
use crate::image::Image;
use crate::posix_spawn::posix_spawn;

/// A launcher to be started.
pub(crate) struct Start {
    pub(crate) argv: Vec<CString>,
    pub(crate) env: Vec<CString>,
    /// Its descriptors from 0 upwards.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// What becomes of it when it is dropped.
    pub(crate) farewell: Farewell,
    /// The cgroup of what it is going to start.
    pub(crate) group: Option<Group>,
}

type Request = (Start, oneshot::Sender<io::Result<Child>>);

/// Has the thread start a launcher. When the caller does not wait for the answer, the launcher is dropped with it.
pub(crate) async fn start(start: Start) -> io::Result<Child> {
    let (answer, answered) = oneshot::channel();
    thread()?.send((start, answer)).map_err(|_| thread_ended())?;
    answered.await.map_err(|_| thread_ended())?
}

fn thread_ended() -> io::Error {
    io::Error::other("the thread that starts processes has ended")
}

/// The way to the thread, which is started by the first who needs it. A failure is not remembered: it is mostly a want
/// of descriptors or memory, and the next caller may find some.
fn thread() -> io::Result<Sender<Request>> {
    static THREAD: Mutex<Option<Sender<Request>>> = Mutex::new(None);
    let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(requests) = &*thread {
        return Ok(requests.clone());
    }
    let mut spawner = Spawner { image: Image::in_memory().or_else(|_| Image::in_any_directory())? };
    let (requests, received) = mpsc::channel();
    thread::Builder::new().name("attune-spawner".into()).spawn(move || spawner.serve(received))?;
    Ok(thread.insert(requests).clone())
}

struct Spawner {
    image: Image,
}

impl Spawner {
    fn serve(&mut self, requests: Receiver<Request>) {
        for (mut start, answer) in requests {
            let started = self.start(&mut start);
            // Only now are the program's ends of its pipes its own.
            drop(start);
            // A refused answer comes back as the error and is dropped here, which ends what was started.
            drop(answer.send(started));
        }
    }

    fn start(&mut self, start: &mut Start) -> io::Result<Child> {
        let pid = match self.spawn(start) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.image = Image::in_any_directory()?;
                self.spawn(start)?
            }
            other => other?,
        };
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Child::new(pid, handle, start.farewell, start.group.take()))
    }

    fn spawn(&self, start: &Start) -> io::Result<Pid> {
        posix_spawn(self.image.path(), &start.argv, &start.env, &start.descriptors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start_with(image: Image) -> io::Result<Child> {
        let null = std::fs::File::open("/dev/null").unwrap();
        let descriptors = vec![null.into()];
        let mut start = Start {
            argv: vec![c"attune-launcher".into()],
            env: vec![],
            descriptors,
            farewell: Farewell::run(),
            group: None,
        };
        Spawner { image }.start(&mut start)
    }

    #[tokio::test]
    async fn every_kind_of_image_can_be_executed() {
        let directory = tempfile::tempdir().unwrap();
        let images = [Image::in_memory(), Image::in_directory(directory.path()), Image::in_any_directory()];
        for image in images {
            let child = start_with(image.unwrap()).unwrap();
            assert_eq!(child.ended().await.unwrap(), crate::Outcome::Exited(125));
        }
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}
