//! A running `attune up`, which ends with its test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::database::Database;
use crate::eventually::eventually;
use crate::home::Home;

const PATIENCE: Duration = Duration::from_mins(1);
/// What the log says of a signal.
const HEARD: &str = "Stopping (SIGTERM)";

pub(crate) struct Up {
    /// The line that says that it is ready.
    pub(crate) said: String,
    /// Where the API listens.
    pub(crate) url: String,
    child: Child,
    log: PathBuf,
}

impl Up {
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        let data_dir = home.data_dir();
        let mut command = home.command(&["up", "--port", "0", "--data-dir"]);
        command.arg(data_dir).args(arguments);
        Self::ready(command, home)
    }

    /// Starts it, and does not wait until it is ready.
    pub(crate) fn begin(home: &Home) -> Self {
        let (log, data_dir) = (home.path().join("up.log"), home.data_dir());
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = home.command(&["up", "--port", "0", "--data-dir"]);
        let child = command.arg(data_dir).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self { said: String::new(), url: String::new(), child, log }
    }

    /// Starts a command and waits until it says that it is ready.
    pub(crate) fn ready(mut command: Command, home: &Home) -> Self {
        let log = home.path().join("up.log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut up = Self { said: String::new(), url: String::new(), child, log };
        let (sender, said) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        up.said = said.recv_timeout(PATIENCE).expect("`attune up` says that it is ready");
        up.url = up.said.rsplit(' ').next().unwrap_or_default().to_owned();
        up
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What it wrote to stderr.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Takes it away in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended();
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually("`attune up` ends", || self.child.try_wait().unwrap())
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to end, and not to wait for what is running. Signals that come at the same time would count as one.
    pub(crate) fn signal_twice(&mut self) {
        let before = self.log().matches(HEARD).count();
        self.signal(Signal::TERM);
        eventually("the signal is heard", || {
            (self.log().matches(HEARD).count() > before || !self.is_running()).then_some(())
        });
        if self.is_running() {
            self.signal(Signal::TERM);
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn private_database(home: &Home) -> Database {
        let url = home.attune(&["db", "url"]).stdout.replace("[home]", &home.path().display().to_string());
        Database::at(url.trim())
    }
}

#[expect(clippy::print_stderr, reason = "a failing test shows it beside its own message")]
impl Drop for Up {
    /// The second signal does not wait for what is running.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal_twice();
            self.ended();
        }
        if thread::panicking() {
            eprintln!("--- what `attune up` said\n{}", self.log());
        }
    }
}
