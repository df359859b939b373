//! Pieces of lists, which end at their bytes.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use attune_common::repositories::listing::{self, Filter, Noun};
use attune_testkit::TestDb;
use serde_json::Value;

/// Bytes of a piece.
const BYTES: usize = 64 * 1024;

/// Older events are of 96,000 bytes that do not compress, newer ones are small.
async fn with_events(large: i64, small: i64) -> TestDb {
    let db = TestDb::migrated().await;
    let text = "(SELECT string_agg(md5((n * 3000 + m)::text), '') FROM generate_series(1, 3000) m)";
    let sql = format!(
        "INSERT INTO event (trigger_ref, payload) SELECT 'demo.high', jsonb_build_object('text', {text}) FROM generate_series(1, {large}) n;
         INSERT INTO event (trigger_ref, payload) SELECT 'demo.high', '{{}}' FROM generate_series(1, {small})"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&db.pool).await.unwrap();
    db
}

fn size(rows: &[Value]) -> usize {
    rows.iter().map(|row| row.to_string().len()).sum()
}

#[tokio::test]
async fn a_piece_ends_with_the_row_that_fills_it_whatever_comes_after() {
    let db = with_events(40, 4).await;
    let mut filter = Filter { limit: 100, ..Filter::default() };
    let mut pieces = Vec::new();
    loop {
        let piece = listing::list(&db.pool, Noun::Event, &filter, BYTES).await.unwrap();
        assert!(size(&piece.rows) < 110_000, "{} rows", piece.rows.len());
        filter.move_past(Noun::Event, piece.rows.last().unwrap());
        pieces.push(piece.rows);
        if !piece.is_cut {
            break;
        }
    }
    assert_eq!(pieces[0].len(), 5);
    let all = Filter { limit: 100, ..Filter::default() };
    let whole = listing::list(&db.pool, Noun::Event, &all, usize::MAX).await.unwrap().rows;
    assert_eq!((whole.len(), pieces.concat() == whole), (44, true));
}

#[tokio::test]
async fn what_is_stored_in_less_than_it_has_ends_a_piece_too() {
    let db = TestDb::migrated().await;
    let sql = "INSERT INTO event (trigger_ref, payload) SELECT 'demo.high', jsonb_build_object('text', repeat('x', 30000)) FROM generate_series(1, 9)";
    sqlx::raw_sql(sql).execute(&db.pool).await.unwrap();
    let filter = Filter { limit: 100, ..Filter::default() };
    let piece = listing::list(&db.pool, Noun::Event, &filter, BYTES).await.unwrap();
    assert_eq!((piece.rows.len(), piece.is_cut), (3, true));
}

#[tokio::test]
async fn one_row_is_never_too_much_and_the_limit_counts_too() {
    let db = with_events(2, 3).await;
    let piece = async |limit, bytes| {
        let filter = Filter { limit, ..Filter::default() };
        let piece = listing::list(&db.pool, Noun::Event, &filter, bytes).await.unwrap();
        (piece.rows.len(), piece.is_cut)
    };
    assert_eq!(piece(100, 1).await, (1, true));
    assert_eq!(piece(2, BYTES).await, (2, false));
    assert_eq!(piece(4, BYTES).await, (4, false));
    assert_eq!(piece(100, usize::MAX).await, (5, false));
    let none = Filter { before: Some(0), limit: 10, ..Filter::default() };
    let piece = listing::list(&db.pool, Noun::Event, &none, BYTES).await.unwrap();
    assert!(piece.rows.is_empty() && !piece.is_cut);
}

#[tokio::test]
async fn every_noun_can_be_listed_piece_by_piece() {
    let db = with_events(0, 0).await;
    for noun in Noun::ALL {
        let filter = Filter { limit: 10, ..Filter::default() };
        let piece = listing::list(&db.pool, noun, &filter, BYTES).await.unwrap();
        assert!(!piece.is_cut, "{noun:?}");
    }
}
