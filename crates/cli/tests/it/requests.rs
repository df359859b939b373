//! What the command line asks an API for, and what it makes of answers that are not the last word.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread::{self, JoinHandle};

use serde_json::json;

use crate::home::Home;

const TOKEN: &str = "0123456789abcdef";

/// An API that gives these answers, one to each request, and then is gone.
struct Api {
    url: String,
    requests: JoinHandle<Vec<Request>>,
}

/// The line and the token of a request.
type Request = (String, Option<String>);

fn api(answers: &'static [&'static str]) -> Api {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = thread::spawn(move || answers.iter().map(|answer| take(&listener, answer)).collect());
    Api { url, requests }
}

fn take(listener: &TcpListener, answer: &str) -> Request {
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let line = line.trim().to_owned();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push(line);
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    let (status, body) = answer.split_once('\n').unwrap();
    let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    let further = if status.starts_with("503") { "retry-after: 0\r\n" } else { "" };
    write!(stream.get_mut(), "{answer}{further}\r\n{body}").unwrap();
    let token = head.iter().find_map(|line| line.strip_prefix("authorization: Bearer ")).map(str::to_owned);
    (head.swap_remove(0), token)
}

impl Api {
    /// The lines, once all answers are given.
    fn lines(self) -> Vec<String> {
        self.requests.join().unwrap().into_iter().map(|(line, _)| line).collect()
    }

    fn tokens(self) -> Vec<Option<String>> {
        self.requests.join().unwrap().into_iter().map(|(_, token)| token).collect()
    }
}

const BUSY: &str = "503 Service Unavailable\n{\"error\": \"too many requests are reading at once\"}";
const BEGUN: &str = "201 Created\n{\"id\": 42}";
const ENDED: &str =
    "200 OK\n{\"id\": 42, \"status\": \"succeeded\", \"finished\": \"now\", \"result\": \"done\"}";

fn with_token(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.env("ATTUNE_API_TOKEN", TOKEN);
    command
}

#[test]
fn a_token_that_is_given_goes_with_reads_too() {
    let (home, api) = (Home::new(), api(&["200 OK\n[]"]));
    let told = home.answer(with_token(&home, &["worker", "list", "--api-url", &api.url]));
    assert_eq!(told.code, 0, "{told}");
    assert_eq!(api.tokens(), [Some(TOKEN.to_owned())]);
}

#[test]
fn an_api_that_is_busy_is_asked_again() {
    let (home, api) = (Home::new(), api(&[BEGUN, BUSY, BUSY, ENDED]));
    let told = home.answer(with_token(&home, &["action", "run", "demo.slow", "--api-url", &api.url]));
    assert_eq!((told.code, told.stdout.as_str()), (0, "done\n"), "{told}");
    let lines = api.lines();
    assert!(lines[0].starts_with("POST /api/actions/demo.slow/executions "), "{lines:?}");
    assert!(lines[1..].iter().all(|line| line.starts_with("GET /api/executions/42 ")), "{lines:?}");
}

#[test]
fn an_execution_that_cannot_be_waited_for_is_named() {
    let (home, api) =
        (Home::new(), api(&[BEGUN, "500 Internal Server Error\n{\"error\": \"internal error\"}"]));
    let told = home.answer(with_token(&home, &["action", "run", "demo.slow", "--api-url", &api.url]));
    assert_eq!(told.code, 1, "{told}");
    assert_eq!(
        told.stderr,
        "error: execution 42 was begun, and how it ends could not be read (see `attune execution show 42`): internal error\n"
    );
    api.lines();
}

#[test]
fn the_run_of_a_sensor_sends_with_its_own_token_if_it_has_one() {
    let home = Home::new();
    let send = |url: &str, context: serde_json::Value| {
        let file = home.path().join("context.json");
        std::fs::write(&file, context.to_string()).unwrap();
        let mut command = home.command(&["event", "send", "demo.note", "--data-dir"]);
        command.arg(home.data_dir()).env("SENSOR_CONTEXT", file).env("ATTUNE_API_TOKEN", TOKEN);
        std::fs::create_dir_all(home.data_dir()).unwrap();
        std::fs::write(home.data_dir().join("api.url"), url).unwrap();
        home.answer(command)
    };
    let own = api(&["201 Created\n{\"id\": 1, \"enforcements\": 0, \"failed\": 0}"]);
    let context = json!({"config": {}, "api": {"url": own.url, "token": "attune_run_1"}});
    let told = send("http://127.0.0.1:1", context);
    assert_eq!(told.code, 0, "{told}");
    assert_eq!(own.tokens(), [Some("attune_run_1".to_owned())]);
    let other = api(&["201 Created\n{\"id\": 1, \"enforcements\": 0, \"failed\": 0}"]);
    let told = send(&other.url, json!({"config": {}}));
    assert_eq!(told.code, 0, "{told}");
    assert_eq!(other.tokens(), [Some(TOKEN.to_owned())]);
}

/// Only root can listen as another user.
#[test]
fn no_token_goes_to_what_listens_for_another_user() {
    let home = Home::new();
    std::fs::create_dir(home.data_dir()).unwrap();
    std::fs::write(home.data_dir().join("api.token"), TOKEN).unwrap();
    let own = api(&["200 OK\n[]"]);
    std::fs::write(home.data_dir().join("api.url"), &own.url).unwrap();
    assert_eq!(home.attune(&["worker", "list"]).code, 0);
    assert_eq!(own.tokens(), [Some(TOKEN.to_owned())]);
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let listener = listener_of(65534);
    let port = listener.local_addr().unwrap().port();
    std::fs::write(home.data_dir().join("api.url"), format!("http://127.0.0.1:{port}")).unwrap();
    for command in [&["worker", "list"][..], &["rule", "disable", "demo.a"], &["event", "send", "demo.note"]]
    {
        let refused = home.attune(command);
        assert_eq!(refused.code, 5, "{refused}");
        assert!(refused.stderr.contains("runs for another user (uid 65534)"), "{refused}");
    }
    listener.set_nonblocking(true).unwrap();
    while let Ok((mut connection, _)) = listener.accept() {
        let mut told = String::new();
        connection.read_to_string(&mut told).unwrap();
        assert_eq!(told, "");
    }
}

/// A socket belongs to the user of the thread that made it.
fn listener_of(uid: u32) -> TcpListener {
    let bind = move || {
        rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(uid)).unwrap();
        TcpListener::bind(("127.0.0.1", 0)).unwrap()
    };
    std::thread::spawn(bind).join().unwrap()
}
