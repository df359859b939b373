//! How soon a running Attune notices a new row, and an interpreter that appears or goes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool};

/// `runtime.verify_interval` of the measurement, in seconds.
const VERIFY_INTERVAL: u64 = 5;
/// Far longer than anything here should take.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) async fn run(programs: &Path, data_dir: &Path) -> anyhow::Result<()> {
    println!("settings: attune up, verify_interval {VERIFY_INTERVAL} s; both workers must report the change");
    let mut up = start(&programs.join("attune"), data_dir)?;
    let outcome = measure(&programs.join("attune"), data_dir).await;
    Command::new("kill").arg(up.id().to_string()).status()?;
    up.wait()?;
    outcome
}

fn start(attune: &Path, data_dir: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(attune);
    command.args(["up", "--port", "0", "--data-dir"]).arg(data_dir).stdout(Stdio::null());
    command.env_remove("DATABASE_URL").env("RUST_LOG", "warn");
    Ok(command.env("ATTUNE__RUNTIME__VERIFY_INTERVAL", VERIFY_INTERVAL.to_string()).spawn()?)
}

async fn measure(attune: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let pool = connect(attune, data_dir).await?;
    until(&pool, "count(*) = 2").await?;
    let binary = data_dir.join("interpreter");
    let distributions = serde_json::json!({"verification": {"commands": [{"binary": binary}]}});
    let insert = "INSERT INTO runtime (ref, name, distributions) VALUES ('bench.here', 'here', '{\"verification\": {\"always_available\": true}}'),
                  ('bench.tool', 'tool', $1)";
    sqlx::query(insert).bind(distributions).execute(&pool).await?;
    println!("a new row: {:.2?}", until(&pool, "bool_and(capabilities->'runtimes' ? 'here')").await?);

    install(&binary)?;
    println!("a new interpreter: {:.2?}", until(&pool, "bool_and(capabilities->'runtimes' ? 'tool')").await?);
    std::fs::remove_file(&binary)?;
    println!(
        "a removed interpreter: {:.2?}",
        until(&pool, "NOT bool_or(capabilities->'runtimes' ? 'tool')").await?
    );
    Ok(())
}

/// In place at once: a file that is being written can not be started.
fn install(binary: &Path) -> anyhow::Result<()> {
    let draft = binary.with_extension("draft");
    std::fs::write(&draft, "#!/bin/sh\necho 1.0\n")?;
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755))?;
    Ok(std::fs::rename(&draft, binary)?)
}

/// Waits until all workers are as told. How long that took.
async fn until(pool: &PgPool, condition: &str) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let question = format!("SELECT COALESCE({condition}, FALSE) FROM worker WHERE status = 'active'");
    while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(question.clone())).fetch_one(pool).await? {
        anyhow::ensure!(start.elapsed() < PATIENCE, "never: {condition}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(start.elapsed())
}

/// The private database, as soon as Attune is ready.
async fn connect(attune: &Path, data_dir: &Path) -> anyhow::Result<PgPool> {
    let start = Instant::now();
    while !data_dir.join("api.url").exists() {
        anyhow::ensure!(start.elapsed() < PATIENCE, "attune up is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let url = Command::new(attune).args(["db", "url", "--data-dir"]).arg(data_dir).output()?;
    Ok(PgPool::connect(String::from_utf8(url.stdout)?.trim()).await?)
}
