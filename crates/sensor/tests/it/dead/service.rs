//! Sensors whose service is gone, so that somebody else has to say it.

use std::process::Child;

use attune_testkit::cluster;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::Watched;

const SOUND: &str = "echo '{\"events\": [{}]}'\n";

/// A sensor service as a program of its own, which ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn admin(sql: String) {
    let mut admin = PgConnection::connect(cluster::url()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
}

#[tokio::test]
async fn a_service_that_lost_the_database() {
    let watched = Watched::with_sensor("core.shell", SOUND).await;
    let name = watched.fixture.pool().connect_options().get_database().unwrap().to_owned();
    admin(format!("CREATE ROLE {name} SUPERUSER LOGIN")).await;
    let service = Program(watched.fixture.spawn("s", &[("DATABASE_URL", &as_user(&watched, &name))]));
    watched.is_sound().await;
    let died = watched.now().await;
    // Nobody but this service is kept out.
    admin(format!(
        "ALTER ROLE {name} NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'"
    ))
    .await;
    let reason = "no sensor worker is alive: the last one, s, was heard % ago";
    watched.alarm("lost database connection", died, "unschedulable", reason).await;
    admin(format!("ALTER ROLE {name} LOGIN")).await;
    watched.fixture.status("dies", "running").await;
    drop(service);
    watched.fixture.eventually("SELECT FROM sensor_watch WHERE keeper LIKE 'a test, process %'").await;
    admin(format!("DROP ROLE {name}")).await;
}

/// Of two users that a URL names the last one counts.
fn as_user(watched: &Watched, name: &str) -> String {
    let url = &watched.fixture.db.url;
    format!("{url}{}user={name}", if url.contains('?') { "&" } else { "?" })
}

#[tokio::test]
async fn a_service_that_stands_still() {
    let watched = Watched::with_sensor("core.shell", SOUND).await;
    let service = Program(watched.fixture.spawn("s", &[]));
    watched.is_sound().await;
    let died = watched.now().await;
    let pid = Pid::from_child(&service.0);
    kill_process(pid, Signal::STOP).unwrap();
    let reason = "no sensor worker is alive: the last one, s, was heard % ago";
    watched.alarm("stopped service", died, "unschedulable", reason).await;
    kill_process(pid, Signal::CONT).unwrap();
    watched.fixture.status("dies", "running").await;
}

/// The clock of the database is set back by an hour: to it all that was recorded lies in the future.
#[tokio::test]
async fn a_clock_that_was_set_back() {
    let watched = Watched::with_sensor("core.shell", SOUND).await;
    let service = Program(watched.fixture.spawn("s", &[]));
    watched.is_sound().await;
    kill_process(Pid::from_child(&service.0), Signal::KILL).unwrap();
    let died = watched.now().await;
    watched
        .execute(
            "UPDATE sensor_state SET last_tick = last_tick + INTERVAL '1 hour', last_event = last_event + INTERVAL '1 hour',
                 last_contact = last_contact + INTERVAL '1 hour', since = since + INTERVAL '1 hour',
                 run_since = run_since + INTERVAL '1 hour', look_at = look_at + INTERVAL '1 hour';
             UPDATE worker SET lease_until = lease_until + INTERVAL '1 hour', last_heartbeat = last_heartbeat + INTERVAL '1 hour';
             UPDATE sensor_watch SET at = at + INTERVAL '1 hour'",
        )
        .await;
    let reason = "no sensor worker is alive: the last one, s, was heard % ago";
    watched.alarm("clock jump", died, "unschedulable", reason).await;
}
