//! The tapes against table `event`, and the proof that this would find what it looks for.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use sqlx::PgPool;

/// What the comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) lines: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// Events without exactly one enforcement and one execution.
    pub(super) unmatched: u64,
}

impl Verdict {
    pub(super) fn judge(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.lost + self.doubled + self.unmatched == 0, "events were lost or doubled");
        Ok(())
    }

    /// One tape with the lines 1 to `lines`, and how often each line became an event.
    fn add(&mut self, lines: u64, found: &HashMap<u64, u64>) {
        self.lines += lines;
        self.lost += (1..=lines).filter(|line| !found.contains_key(line)).count() as u64;
        self.doubled += found.values().map(|count| count - 1).sum::<u64>();
        // What was never written must have been made of something.
        self.doubled += found.keys().filter(|line| **line == 0 || **line > lines).count() as u64;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, lost, doubled, unmatched } = self;
        write!(
            f,
            "{lines} lines on the tapes: {lost} lost, {doubled} doubled, {unmatched} without exactly one execution"
        )
    }
}

/// How often each line of each tape became an event.
struct Events(HashMap<String, HashMap<u64, u64>>);

impl Events {
    async fn read(pool: &PgPool) -> anyhow::Result<Self> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT sensor_ref, (payload->>'n')::bigint, count(*) FROM event WHERE sensor_ref IS NOT NULL GROUP BY 1, 2",
        )
        .fetch_all(pool)
        .await?;
        let mut events: HashMap<String, HashMap<u64, u64>> = HashMap::new();
        for (sensor, line, count) in rows {
            events.entry(sensor).or_default().insert(line.unsigned_abs(), count.unsigned_abs());
        }
        Ok(Self(events))
    }

    /// Compares one tape, given by its number of lines, with the events of its reader.
    fn judge(&self, sensor: &str, lines: u64) -> Verdict {
        let (none, mut verdict) = (HashMap::new(), Verdict::default());
        verdict.add(lines, self.0.get(sensor).unwrap_or(&none));
        verdict
    }
}

/// How many lines are no events yet.
pub(super) async fn missing(pool: &PgPool, lines: &BTreeMap<String, u64>) -> anyhow::Result<u64> {
    let events = Events::read(pool).await?;
    Ok(lines.iter().map(|(sensor, lines)| events.judge(sensor, *lines).lost).sum())
}

/// Names the tapes that are not whole, with what the database says of their readers.
pub(super) async fn explain(pool: &PgPool, lines: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    const READER: &str =
        "SELECT concat_ws(', ', x.status, x.reason, x.failures || ' failures in a row', x.last_error)
        FROM sensor_state x JOIN sensor s ON s.id = x.sensor WHERE s.ref = $1";
    let events = Events::read(pool).await?;
    for (sensor, lines) in lines {
        let verdict = events.judge(sensor, *lines);
        if verdict.lost + verdict.doubled > 0 {
            let reader: String = sqlx::query_scalar(READER).bind(sensor).fetch_one(pool).await?;
            println!("{sensor}: {} lost, {} doubled; it is {reader}", verdict.lost, verdict.doubled);
        }
    }
    Ok(())
}

/// Compares every tape with the events of its reader, and counts what became of these.
pub(super) async fn all(pool: &PgPool, lines: &BTreeMap<String, u64>) -> anyhow::Result<Verdict> {
    let (events, mut verdict) = (Events::read(pool).await?, Verdict::default());
    for (sensor, lines) in lines {
        let Verdict { lines, lost, doubled, .. } = events.judge(sensor, *lines);
        verdict.lines += lines;
        verdict.lost += lost;
        verdict.doubled += doubled;
    }
    let unmatched: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM event e
         LEFT JOIN (SELECT event, count(*) AS count FROM enforcement GROUP BY event) f ON f.event = e.id
         LEFT JOIN (SELECT f.event, count(*) AS count FROM execution x JOIN enforcement f ON f.id = x.enforcement GROUP BY f.event) x
                ON x.event = e.id
         WHERE f.count IS DISTINCT FROM 1 OR x.count IS DISTINCT FROM 1",
    )
    .fetch_one(pool)
    .await?;
    verdict.unmatched = u64::try_from(unmatched)?;
    Ok(verdict)
}

/// Doubles an event, then takes one away, and wants to see both found. The last thing that is done with the database.
pub(super) async fn plants(pool: &PgPool, lines: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let before = all(pool, lines).await?;
    let event: i64 = sqlx::query_scalar("SELECT min(id) FROM event").fetch_one(pool).await?;
    let copy = "INSERT INTO event (trigger, trigger_ref, sensor, sensor_ref, payload)
                SELECT trigger, trigger_ref, sensor, sensor_ref, payload FROM event WHERE id = $1 RETURNING id";
    let doubled: i64 = sqlx::query_scalar(copy).bind(event).fetch_one(pool).await?;
    let with_double = all(pool, lines).await?;
    remove(pool, doubled).await?;
    remove(pool, event).await?;
    let with_loss = all(pool, lines).await?;
    println!(
        "planted: a double was {}, a loss was {}",
        word(with_double.doubled == before.doubled + 1),
        word(with_loss.lost == before.lost + 1)
    );
    anyhow::ensure!(
        with_double.doubled == before.doubled + 1 && with_loss.lost == before.lost + 1,
        "the check is blind"
    );
    Ok(())
}

async fn remove(pool: &PgPool, event: i64) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM event WHERE id = $1").bind(event).execute(pool).await?;
    Ok(())
}

fn word(is_found: bool) -> &'static str {
    if is_found { "found" } else { "NOT FOUND" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_doubles_and_inventions_are_counted() {
        let mut verdict = Verdict::default();
        verdict.add(4, &HashMap::from([(1, 1), (2, 3), (4, 1), (5, 1)]));
        assert_eq!(verdict, Verdict { lines: 4, lost: 1, doubled: 3, unmatched: 0 });
    }
}
