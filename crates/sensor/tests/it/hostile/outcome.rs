//! What came of each program.

use sqlx::Row as _;

use crate::corpus::shown;
use crate::fixture::Fixture;

/// What the hostile sensors came to, one after the other: what they reported, what was set aside, and how they failed. A
/// stream that was started again repeats itself, so each thing stands here once.
pub(super) async fn outcomes(fixture: &Fixture) -> String {
    let query = "
        SELECT substr(ref, 6) AS name, last_error, status, events, next_try IS NOT NULL AS is_retried,
          ARRAY(SELECT DISTINCT payload::text FROM event WHERE event.sensor = s.sensor ORDER BY 1) AS payloads,
          ARRAY(SELECT DISTINCT reason FROM event_rejected r WHERE r.sensor = s.sensor ORDER BY 1) AS reasons
        FROM sensor JOIN sensor_state s ON s.sensor = id WHERE ref NOT LIKE 'demo.good%' ORDER BY ref COLLATE \"C\"";
    let rows = sqlx::query(query).fetch_all(fixture.pool()).await.unwrap();
    let mut lines = Vec::new();
    for row in rows {
        lines.push(row.get::<String, _>("name").replacen('.', "/", 1));
        let texts = |column: &str| row.get::<Vec<String>, _>(column);
        lines.extend(texts("payloads").iter().map(|payload| format!("  event {}", shown(payload))));
        lines.extend(texts("reasons").iter().map(|reason| format!("  set aside: {}", shown(reason))));
        let error = row.get::<Option<String>, _>("last_error");
        lines.push(error.map_or_else(|| "  well".to_owned(), |error| format!("  failed: {}", shown(&error))));
    }
    lines.join("\n")
}
