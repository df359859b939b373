//! A pack in a test's database: content by upload, rows by SQL.

use std::path::Path;

use attune_common::repositories::pack;
use attune_runtimes::files::Files;
use attune_runtimes::{archive, digest, directory};
use sqlx::PgPool;

/// Stores executable files as the content of a pack, which is made when it is not there, and returns the digest.
pub(crate) async fn store(pool: &PgPool, pack_ref: &str, files: &[(&str, &str)]) -> String {
    let mut content = Files::default();
    for (path, text) in files {
        content.insert(path, text.as_bytes().to_vec(), true).unwrap();
    }
    store_files(pool, pack_ref, &content).await
}

/// Stores the files of the core pack, and has its Python run through the wrapper and the host in there.
pub(crate) async fn store_core(pool: &PgPool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/core");
    store_files(pool, "core", &directory::read(&root).unwrap()).await;
    for (runtime, execution) in [
        (
            "core.python",
            r#"{"args": ["-u", "{pack}/runtimes/python/run.py"], "protocol": "ndjson",
                "host": {"args": ["-u", "{pack}/runtimes/python/host.py"]}}"#,
        ),
        (
            "core.nodejs",
            r#"{"args": ["{pack}/runtimes/nodejs/run.cjs"], "protocol": "ndjson",
                "host": {"args": ["{pack}/runtimes/nodejs/host.cjs"]}}"#,
        ),
    ] {
        sqlx::query("UPDATE runtime SET execution = $1::jsonb WHERE ref = $2")
            .bind(execution)
            .bind(runtime)
            .execute(pool)
            .await
            .unwrap();
    }
}

/// Adds a runtime by the INSERT that operators use.
pub(crate) async fn add_runtime(pool: &PgPool, name: &str, binary: &str) {
    sqlx::query(
        "INSERT INTO runtime (ref, pack, pack_ref, name, distributions) VALUES
           ('core.' || lower($1), (SELECT id FROM pack WHERE ref = 'core'), 'core', $1,
            jsonb_build_object('verification', jsonb_build_object('commands', jsonb_build_array(jsonb_build_object(
                'binary', $2::text, 'args', jsonb_build_array('--version'), 'exit_code', 0, 'priority', 1)))))",
    )
    .bind(name)
    .bind(binary)
    .execute(pool)
    .await
    .unwrap();
}

async fn store_files(pool: &PgPool, pack_ref: &str, files: &Files) -> String {
    let digest = digest::digest(files);
    pack::insert_content(pool, &digest, &archive::write(files).unwrap(), 0).await.unwrap();
    sqlx::query(
        "INSERT INTO pack (ref, name, version, digest) VALUES ($1, $1, '1.0.0', $2)
         ON CONFLICT (ref) DO UPDATE SET digest = EXCLUDED.digest",
    )
    .bind(pack_ref)
    .bind(&digest)
    .execute(pool)
    .await
    .unwrap();
    digest
}
