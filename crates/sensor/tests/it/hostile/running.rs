//! A service that runs all programs of the corpus, and what has to hold whatever they do.

use attune_common::config::SensorConfig;
use attune_sensor::SensorService;
use sqlx::Row as _;

use crate::corpus::{Case, cases, peak, seen_working_in, working_in};
use crate::fixture::Fixture;
use crate::pack;

/// Sensors that do as they should, and are polled each second.
const NEIGHBOURS: [&str; 4] = ["good0", "good1", "good2", "good3"];
const GOOD: &str = "echo '{\"events\": [{\"good\": true}]}'";
/// Notes how late each of their ticks was; a row has that of the last one only.
const NOTES: [&str; 3] = [
    "CREATE TABLE tick (late BIGINT)",
    "CREATE FUNCTION note_tick() RETURNS TRIGGER LANGUAGE plpgsql AS
     'BEGIN INSERT INTO tick SELECT NEW.lateness_ms FROM sensor WHERE id = NEW.sensor AND ref LIKE ''demo.good%''; RETURN NEW; END'",
    "CREATE TRIGGER note_tick AFTER UPDATE ON sensor_state FOR EACH ROW WHEN (NEW.polls > OLD.polls)
     EXECUTE FUNCTION note_tick()",
];
/// As late as no tick of theirs may be: who had to wait for a hostile one would be, and a slow machine alone is not.
const LATE_MS: i64 = 5000;
/// As many of the hostile are let in together: fewer than may run at once, so that it is not their number that delays.
const AT_ONCE: usize = 8;
/// What the service may take of the memory, with the test around it.
const MOST: u64 = 400_000_000;

/// The service, the hostile, and the neighbours.
pub(super) struct Running {
    pub(super) fixture: Fixture,
    service: SensorService,
}

/// How the programs of the corpus become sensors.
pub(super) struct Way {
    pub(super) runtime: &'static str,
    pub(super) code: fn(&Case) -> String,
    /// What is left to say, as SQL.
    pub(super) settings: &'static str,
}

impl Running {
    /// Starts the neighbours and waits until they run.
    pub(super) async fn start(way: &Way) -> Self {
        let fixture = Fixture::new().await;
        pack::store_core(fixture.pool()).await;
        add_sensors(&fixture, way).await;
        let mut config = fixture.config("s");
        config.sensor = config.sensor.map(|sensor| SensorConfig { max_streams: 200, ..sensor });
        let service = fixture.service(config);
        service.start().await.unwrap();
        for name in NEIGHBOURS {
            fixture.event_of(name).await;
        }
        for note in NOTES {
            fixture.execute(note).await;
        }
        Self { fixture, service }
    }

    /// Lets in the hostile that fulfil a condition, until each was polled or failed.
    pub(super) async fn admit(&self, condition: &str) {
        let next =
            format!("SELECT id FROM sensor WHERE NOT enabled AND {condition} ORDER BY ref LIMIT {AT_ONCE}");
        for _ in 0..cases().len().div_ceil(AT_ONCE) {
            self.fixture.execute(&format!("UPDATE sensor SET enabled = TRUE WHERE id IN ({next})")).await;
            let shown = "SELECT FROM sensor JOIN sensor_state ON id = sensor WHERE enabled HAVING bool_and(polls + errors > 0)";
            self.fixture.eventually(shown).await;
        }
    }

    /// Ends the service, when all have shown what they do.
    pub(super) async fn end(self) {
        let Self { fixture, service } = self;
        let place = fixture.cache.path();
        seen_working_in(place).await;
        service.stop().await;
        assert_eq!(working_in(place), Vec::<String>::new());
        neighbours_are_unharmed(&fixture).await;
        nothing_is_lost(&fixture).await;
        assert!(peak() < MOST, "{} bytes", peak());
    }
}

async fn add_sensors(fixture: &Fixture, way: &Way) {
    let codes: Vec<_> = cases().iter().map(|case| (case.name.clone(), (way.code)(case))).collect();
    let mut drafts: Vec<_> =
        codes.iter().map(|(name, code)| (name.as_str(), way.runtime, code.as_str())).collect();
    drafts.extend(NEIGHBOURS.map(|name| (name, "core.shell", GOOD)));
    fixture.add_sensors(&drafts).await;
    fixture.execute(way.settings).await;
    // Each of the hostile is polled once. The time of those that hang is short, that of the others beyond doubt.
    for setting in [
        "UPDATE sensor SET poll_interval = 3600, timeout = 30, enabled = FALSE",
        "UPDATE sensor SET timeout = 2 WHERE ref ~ 'stdout-closed|for-ever'",
        "UPDATE sensor SET mode = 'poll', isolation = NULL, poll_interval = 1, enabled = TRUE WHERE ref LIKE 'demo.good%'",
    ] {
        fixture.execute(setting).await;
    }
}

#[expect(clippy::print_stdout, reason = "the figures are part of what the test has to say")]
async fn neighbours_are_unharmed(fixture: &Fixture) {
    let late = fixture.eventually("SELECT count(*), max(late), avg(late)::float8 AS mean FROM tick").await;
    let most: i64 = late.get("max");
    let (ticks, mean): (i64, f64) = (late.get("count"), late.get("mean"));
    println!("{ticks} ticks, late: mean {mean:.1} ms, most {most} ms; peak {} bytes", peak());
    assert!(most < LATE_MS, "{most} ms");
    fixture
        .eventually(
            "SELECT FROM sensor JOIN sensor_state ON id = sensor WHERE ref LIKE 'demo.good%'
             AND errors = 0 AND polls > 3 AND polls = events HAVING count(*) = 4",
        )
        .await;
}

/// What a sensor is said to have reported is there.
async fn nothing_is_lost(fixture: &Fixture) {
    fixture
        .eventually(
            "SELECT FROM sensor_state LEFT JOIN (SELECT sensor, count(*) AS stored FROM event GROUP BY sensor) e USING (sensor)
             HAVING bool_and(events = coalesce(stored, 0))",
        )
        .await;
}
