//! The rows of one table that are poisoned, one after the other, until each has its poison: then everything goes on once,
//! and they are mended.

use super::columns;
use super::world::{VICTIMS, World};

pub(super) struct Ward {
    table: &'static str,
    /// The column by which a row is named.
    key: &'static str,
    victims: Vec<String>,
    /// What the victims in front have.
    given: Vec<String>,
    pub(super) columns: Vec<(String, String)>,
}

impl Ward {
    /// `rows`: which ones of the table they are. How they are now is how they will be mended.
    pub(super) async fn new(world: &World, table: &'static str, rows: &str) -> Self {
        let key = if table.starts_with("sensor_") { "sensor" } else { "id" };
        let save =
            format!("DROP TABLE IF EXISTS saved; CREATE TABLE saved AS SELECT * FROM {table} WHERE {rows}");
        world.try_run(&save).await.unwrap();
        let victims = world.texts(&format!("SELECT {key}::text FROM saved ORDER BY {key}")).await;
        assert_eq!(victims.len(), VICTIMS, "{table}");
        Self { table, key, victims, given: Vec::new(), columns: columns(world, table).await }
    }

    /// Whether the database takes it.
    pub(super) async fn give(
        &mut self,
        world: &World,
        column: &str,
        poison: &str,
        must_be_taken: bool,
    ) -> bool {
        let Self { table, key, .. } = self;
        let note = format!("{table}.{column} = {}", poison.get(..60).unwrap_or(poison));
        let victim = &self.victims[self.given.len()];
        match world.try_run(&format!("UPDATE {table} SET {column} = {poison} WHERE {key} = {victim}")).await {
            Ok(rows) => {
                assert_eq!(rows, 1, "{note}: the victim is there");
                self.given.push(note);
                true
            }
            Err(reason) => {
                assert!(!must_be_taken, "{note} is taken: {reason}");
                false
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.given.len() == self.victims.len()
    }

    /// Everything goes on beside the victims, and they are as they were.
    #[expect(clippy::print_stderr, reason = "a failing test shows what it wrote last")]
    pub(super) async fn discharge(&mut self, world: &mut World) {
        if self.given.is_empty() {
            return;
        }
        eprintln!("{}", std::mem::take(&mut self.given).join("\n"));
        world.round().await;
        world.lists_answer(self.table).await;
        self.mend(world).await;
    }

    async fn mend(&self, world: &World) {
        let Self { table, key, .. } = self;
        let names: Vec<_> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let (names, saved) = (names.join(", "), format!("s.{}", names.join(", s.")));
        if *table == "timer" {
            // What was asked for meanwhile is there as a row of its own.
            let twins = "DELETE FROM timer t USING saved s WHERE t.trigger_ref = s.trigger_ref AND t.params = s.params AND t.id <> s.id";
            world.try_run(twins).await.unwrap();
        }
        if *table == "notice" {
            // One that was told is gone.
            let again =
                "INSERT INTO notice OVERRIDING SYSTEM VALUE SELECT * FROM saved ON CONFLICT DO NOTHING";
            world.try_run(again).await.unwrap();
        }
        let sql =
            format!("UPDATE {table} t SET ({names}) = ROW ({saved}) FROM saved s WHERE t.{key} = s.{key}");
        let mended = world.try_run(&sql).await.unwrap_or_else(|reason| panic!("{table} is mended: {reason}"));
        assert_eq!(mended, VICTIMS as u64, "{table}");
    }
}
