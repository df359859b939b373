//! What operators see: rows as JSON objects whose fields are named as the columns.
//!
//! The columns are public (SPEC section 3), so a row is its own representation and needs no struct beside the table. This is
//! the one file whose SQL is put together at run time, from the constants below; values are always bound.

use futures_util::{Stream, TryStreamExt as _};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgExecutor, PgPool, Row as _};

use crate::readable::{self, Row};

/// Names that are compared with a misspelt one at most.
const NAMES: i64 = 10_000;

/// About what a row has beside its large columns, in bytes.
const SMALL: usize = 512;

/// A kind of thing that operators list and show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the nouns of SPEC section 1")]
pub enum Noun {
    Pack,
    Runtime,
    Worker,
    Trigger,
    Timer,
    Sensor,
    Action,
    Rule,
    Event,
    Enforcement,
    Execution,
}

impl Noun {
    /// All of them, in the order of the chain.
    pub const ALL: [Self; 11] = [
        Self::Pack,
        Self::Runtime,
        Self::Worker,
        Self::Trigger,
        Self::Timer,
        Self::Sensor,
        Self::Action,
        Self::Rule,
        Self::Event,
        Self::Enforcement,
        Self::Execution,
    ];

    /// The table's name, which is the noun in every other place too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Runtime => "runtime",
            Self::Worker => "worker",
            Self::Trigger => "trigger",
            Self::Timer => "timer",
            Self::Sensor => "sensor",
            Self::Action => "action",
            Self::Rule => "rule",
            Self::Event => "event",
            Self::Enforcement => "enforcement",
            Self::Execution => "execution",
        }
    }

    /// The rows, before any filter.
    fn rows(self) -> &'static str {
        match self {
            Self::Sensor => {
                "SELECT s.*, ARRAY(SELECT t.ref FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger
                                   WHERE st.sensor = s.id ORDER BY st.position, t.id) AS triggers,
                        x.worker, w.name AS worker_name, x.epoch, x.state, x.status, x.reason, x.since, x.paused, x.failures,
                        x.last_error, x.next_try, x.last_tick, x.last_contact, x.last_event, x.says_contact, x.lateness_ms,
                        EXTRACT(EPOCH FROM clock_timestamp() - x.last_tick)::float8 AS tick_age,
                        EXTRACT(EPOCH FROM clock_timestamp() - x.last_contact)::float8 AS contact_age,
                        EXTRACT(EPOCH FROM clock_timestamp() - x.last_event)::float8 AS event_age,
                        x.polls, x.events, x.errors, x.duplicates, x.rejected, x.missed_ticks, x.made_up, x.owed, x.ticks,
                        p.answered AS pokes, p.outcome AS poke_outcome, p.asked_at AS poked_at, f.reason AS put_aside,
                         (SELECT h.since FROM held h WHERE h.kind = 'sensor' AND h.thing = s.id AND h.until > clock_timestamp()) AS held_since
                 FROM sensor s LEFT JOIN sensor_state x ON x.sensor = s.id LEFT JOIN worker w ON w.id = x.worker
                      LEFT JOIN sensor_poke p ON p.sensor = s.id
                      LEFT JOIN fuse f ON f.noun = 'sensor' AND f.thing = s.id AND f.version = s.config_version"
            }
            Self::Execution => {
                "SELECT e.*, w.name AS worker_name, (SELECT f.event FROM enforcement f WHERE f.id = e.enforcement) AS event,
                        CASE WHEN e.status = 'requested' AND e.turn IS FALSE THEN (
                            SELECT format('%s of %s of %s are running', (
                                SELECT count(*) FROM execution o
                                WHERE o.action = a.id AND o.turn IS TRUE AND o.status IN ('requested', 'running')),
                                a.max_concurrent, a.ref)
                            FROM action a WHERE a.id = e.action) END AS waits
                 FROM execution e LEFT JOIN worker w ON w.id = e.worker"
            }
            Self::Pack => {
                "SELECT x.*, f.reason AS put_aside FROM pack x
                 LEFT JOIN fuse f ON f.noun = 'pack' AND f.thing = x.id AND f.version = x.config_version"
            }
            Self::Runtime => "SELECT * FROM runtime",
            Self::Worker => {
                "SELECT w.*, COALESCE(w.status = 'active' AND w.lease_until > clock_timestamp(), FALSE) AS live FROM worker w"
            }
            Self::Trigger => {
                "SELECT x.*, f.reason AS put_aside,
                     (SELECT h.since FROM held h WHERE h.kind = 'trigger' AND h.thing = x.id
                      AND h.until > clock_timestamp()) AS held_since
                 FROM trigger x
                 LEFT JOIN fuse f ON f.noun = 'trigger' AND f.thing = x.id AND f.version = x.config_version"
            }
            Self::Timer => "SELECT * FROM timer",
            Self::Action => {
                "SELECT x.*, f.reason AS put_aside FROM action x
                 LEFT JOIN fuse f ON f.noun = 'action' AND f.thing = x.id AND f.version = x.config_version"
            }
            Self::Rule => {
                "SELECT x.*, f.reason AS put_aside,
                     (SELECT h.since FROM held h WHERE h.kind = 'rule' AND h.thing = x.id
                      AND h.until > clock_timestamp()) AS held_since
                 FROM rule x
                 LEFT JOIN fuse f ON f.noun = 'rule' AND f.thing = x.id AND f.version = x.config_version"
            }
            Self::Event => "SELECT * FROM event",
            Self::Enforcement => "SELECT * FROM enforcement",
        }
    }

    /// Columns by which a list may be narrowed.
    pub fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Pack => &["ref", "enabled"],
            Self::Runtime => &["ref", "pack_ref", "name"],
            Self::Worker => &["name", "worker_role", "status", "host"],
            Self::Trigger => &["ref", "pack_ref", "enabled"],
            Self::Timer => &["trigger_ref", "live"],
            Self::Sensor => &["ref", "pack_ref", "runtime_ref", "enabled", "status", "worker_name"],
            Self::Action => &["ref", "pack_ref", "runtime_ref", "enabled"],
            Self::Rule => &["ref", "pack_ref", "trigger_ref", "action_ref", "enabled"],
            Self::Event => &["trigger_ref", "sensor_ref", "source", "key", "caused_by"],
            Self::Enforcement => &["event", "rule_ref", "status"],
            Self::Execution => {
                &["enforcement", "action_ref", "rule_ref", "trigger_ref", "status", "worker_name", "retry_of"]
            }
        }
    }

    /// Columns that may hold much.
    fn large(self) -> &'static [&'static str] {
        match self {
            Self::Pack => &["description", "config", "config_schema", "requires"],
            Self::Runtime => &["description", "distributions", "installation", "execution"],
            Self::Worker => &["capabilities", "meta"],
            Self::Trigger => &["description", "param_schema", "payload_schema"],
            Self::Timer => &["params"],
            Self::Sensor => &[
                "description",
                "config",
                "param_schema",
                "limits",
                "labels",
                "expect",
                "api",
                "last_error",
                "ticks",
            ],
            Self::Action => &["description", "param_schema", "retry", "limits", "api"],
            Self::Rule => &["description", "conditions", "trigger_params", "action_params"],
            Self::Event => &["trigger_params", "payload"],
            Self::Enforcement => &["reason"],
            Self::Execution => &["params", "result", "error"],
        }
    }

    /// About how many bytes a row has. What a column has is known without reading it; a text that repeats itself is stored
    /// shorter than it is.
    fn size(self) -> String {
        let columns = self.large().iter().map(|column| format!(" + COALESCE(pg_column_size(t.{column}), 0)"));
        format!("{SMALL}{}", columns.collect::<String>())
    }

    /// The column that names one row beside its id.
    pub fn natural_key(self) -> &'static str {
        match self {
            Self::Worker => "name",
            Self::Timer | Self::Event | Self::Enforcement | Self::Execution => "id",
            Self::Pack | Self::Runtime | Self::Trigger | Self::Sensor | Self::Action | Self::Rule => "ref",
        }
    }

    /// Things are read by name, happenings by the newest first.
    fn order(self) -> &'static str {
        match self {
            Self::Timer | Self::Event | Self::Enforcement | Self::Execution => "t.id DESC",
            // Its name is not its own: it has one for each role.
            Self::Worker => "t.name, t.id",
            _ => self.natural_key(),
        }
    }

    /// Whether a list has the newest first, and goes on below an id.
    pub fn is_happening(self) -> bool {
        self.order() == "t.id DESC"
    }
}

/// What narrows a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Column and text that it must equal; columns outside [`Noun::filters`] are ignored.
    pub equals: Vec<(String, String)>,
    /// Only ids below this one: the next page of happenings.
    pub before: Option<i64>,
    /// Only what comes after this name and id: the next page of things.
    pub after: Option<(String, i64)>,
    /// At most so many rows.
    pub limit: i64,
}

impl Filter {
    /// Narrows it to what comes after this row, in the order of the list. `false`: the row does not say where it stands.
    pub fn move_past(&mut self, noun: Noun, row: &Value) -> bool {
        let Some(id) = row["id"].as_i64() else { return false };
        if noun.is_happening() {
            self.before = Some(id);
            return true;
        }
        self.after = row[noun.natural_key()].as_str().map(|name| (name.to_owned(), id));
        self.after.is_some()
    }
}

/// Rows that stand one after the other in a list.
#[derive(Debug)]
pub struct Piece {
    /// The rows.
    pub rows: Vec<Value>,
    /// Whether it ends for their size: there may be more.
    pub is_cut: bool,
}

/// The rows that pass the filter, until they take more than so many bytes. What cannot be read is said in each row (see
/// [`crate::readable`]).
pub async fn list(pool: &PgPool, noun: Noun, filter: &Filter, most_bytes: usize) -> sqlx::Result<Piece> {
    let given = noun.filters().iter().flat_map(|column| {
        filter.equals.iter().filter(move |(name, _)| name == column).map(move |(_, value)| (column, value))
    });
    // What is not asked for is not in the text: only so an index can begin where the list does.
    let (mut wheres, mut next) = (String::new(), 3);
    let mut place = |condition: &dyn Fn(usize) -> String, takes: usize| {
        wheres.extend([" AND ", &condition(next)]);
        next += takes;
    };
    if filter.before.is_some() {
        place(&|n| format!("t.id < ${n}"), 1);
    }
    if filter.after.is_some() {
        place(&|n| format!("(t.{}, t.id) > (${n}, ${})", noun.natural_key(), n + 1), 2);
    }
    let mut values = Vec::new();
    for (column, value) in given {
        place(&|n| format!("t.{column}::text = ${n}"), 1);
        values.push(value);
    }
    let most = i64::try_from(most_bytes).unwrap_or(i64::MAX);
    let mut query = sqlx::query(AssertSqlSafe(statement(noun, &wheres))).bind(filter.limit).bind(most);
    if let Some(id) = filter.before {
        query = query.bind(id);
    }
    if let Some((name, id)) = &filter.after {
        query = query.bind(name).bind(*id);
    }
    read(values.into_iter().fold(query, sqlx::query::Query::bind).fetch(pool), most_bytes).await
}

/// The rows are found first, with their sizes as they are stored, which are summed up in the order of the list. Only those that
/// fit are then read, so the database neither reads nor sends what does not.
fn statement(noun: Noun, wheres: &str) -> String {
    let (rows, order, size) = (noun.rows(), noun.order(), noun.size());
    format!(
        "WITH found AS MATERIALIZED (
             SELECT id, sum(size) OVER (ROWS UNBOUNDED PRECEDING) - size AS before
             FROM (SELECT t.id, {size} AS size FROM ({rows}) AS t WHERE TRUE{wheres} ORDER BY {order} LIMIT $1) AS sizes)
         SELECT to_jsonb(t), (SELECT count(*) FROM found) FROM ({rows}) AS t
         WHERE t.id = ANY(ARRAY(SELECT id FROM found WHERE before < $2)) ORDER BY {order}"
    )
}

/// What is stored in less than it has is taken row by row, for as long as it fits.
async fn read(
    mut rows: impl Stream<Item = sqlx::Result<PgRow>> + Unpin,
    most_bytes: usize,
) -> sqlx::Result<Piece> {
    let (mut piece, mut bytes, mut found) = (Vec::new(), 0, 0);
    while bytes <= most_bytes
        && let Some(row) = rows.try_next().await?
    {
        bytes += row.try_get_raw(0)?.as_bytes().map_or(0, <[u8]>::len);
        found = row.try_get(1)?;
        piece.push(row.try_get::<Row, _>(0)?.into());
    }
    Ok(Piece { is_cut: i64::try_from(piece.len()).is_ok_and(|taken| taken < found), rows: piece })
}

/// One row, by id or by its natural key.
pub async fn find(pool: &PgPool, noun: Noun, key: &str) -> sqlx::Result<Option<Value>> {
    // Happenings are many: only a comparison with the id itself finds one by index.
    let named = match noun.natural_key() {
        "id" => "$1::text IS NULL".to_owned(),
        column => format!("t.{column} = $1"),
    };
    let sql = format!(
        "SELECT to_jsonb(t) FROM ({}) AS t WHERE t.id = $2 OR {named} ORDER BY t.id LIMIT 1",
        noun.rows()
    );
    let id: Option<i64> = key.parse().ok();
    let row: Option<Row> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(key).bind(id).fetch_optional(pool).await?;
    Ok(row.map(Value::from))
}

/// The rows of a noun that have a column that cannot be read: what names each, and which columns, with the reasons. One row after
/// the other, since there may be many.
pub async fn list_unreadable(pool: &PgPool, noun: Noun) -> sqlx::Result<Vec<(String, String)>> {
    let sql = format!("SELECT to_jsonb(t) FROM {} t ORDER BY id", noun.name());
    let mut rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch(pool);
    let mut found = Vec::new();
    while let Some(Row(row)) = rows.try_next().await? {
        if let Some(reason) = readable::reason_of(&row) {
            found.push((row[noun.natural_key()].as_str().unwrap_or_default().to_owned(), reason));
        }
    }
    Ok(found)
}

/// The name that a misspelt one was probably meant to be.
pub async fn find_near(executor: impl PgExecutor<'_>, noun: Noun, key: &str) -> sqlx::Result<Option<String>> {
    if noun.natural_key() == "id" {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM {} ORDER BY id LIMIT $1", noun.natural_key(), noun.name());
    let names: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(NAMES).fetch_all(executor).await?;
    Ok(nearest(key, names))
}

/// The name of these that a misspelt one was probably meant to be.
pub fn nearest(word: &str, names: Vec<String>) -> Option<String> {
    // A quarter of the letters may differ; beyond that a guess misleads.
    let limit = 1 + word.len().min(100) / 4;
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(word.len()) <= limit)
        .map(|name| (strsim::damerau_levenshtein(&name, word), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Filters that name a row of another table by its id; their values must be numbers.
pub fn is_id(column: &str) -> bool {
    matches!(column, "event" | "enforcement" | "retry_of" | "caused_by")
}

#[cfg(test)]
mod tests {
    use attune_testkit::TestDb;

    use super::{Noun, nearest};

    #[tokio::test]
    async fn the_size_of_a_row_counts_all_that_may_be_large() {
        let db = TestDb::migrated().await;
        for noun in Noun::ALL {
            let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND atttypid = 'jsonb'::regtype AND NOT attisdropped";
            let columns: Vec<String> =
                sqlx::query_scalar(columns).bind(noun.name()).fetch_all(&db.pool).await.unwrap();
            for column in columns {
                assert!(noun.large().contains(&column.as_str()), "{noun:?}: {column}");
            }
        }
    }

    #[test]
    fn guesses_only_what_is_close() {
        let names = || ["core.python", "core.shell", "demo.cpu_high"].map(str::to_owned).to_vec();
        assert_eq!(nearest("core.pyhton", names()).as_deref(), Some("core.python"));
        assert_eq!(nearest("demo.cpu_hgih", names()).as_deref(), Some("demo.cpu_high"));
        assert_eq!(nearest("web.request", names()), None);
        assert_eq!(nearest(&"x".repeat(100_000), names()), None);
    }
}
