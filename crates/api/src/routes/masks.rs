//! The schemas by which rows are masked, compiled once and not for every row of every list.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use attune_core::schema::Schema;
use serde_json::Value;

/// Schemas that are remembered, and what their texts may have together, in bytes. Beyond, all are forgotten.
const MOST: usize = 1_000;
const LARGEST: usize = 4 << 20;

/// By the text of the schema, so that whatever changes it needs no word.
#[derive(Default)]
struct Known {
    schemas: HashMap<String, Option<Arc<Schema>>>,
    bytes: usize,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// The schema; none when it is none.
pub(super) fn schema(document: &Value) -> Option<Arc<Schema>> {
    let text = document.to_string();
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = known().schemas.get(&text) {
        return schema.clone();
    }
    let schema = Schema::compile(document).ok().map(Arc::new);
    known().remember(text, schema.clone());
    schema
}

impl Known {
    fn remember(&mut self, text: String, schema: Option<Arc<Schema>>) {
        if self.schemas.len() >= MOST || self.bytes + text.len() > LARGEST {
            *self = Self::default();
        }
        self.bytes += text.len();
        self.schemas.insert(text, schema);
    }
}
