//! How much a rendering may still give. Counted before a value is built, so that a template can not ask for more memory
//! than the limit by repeating one large value.

use serde_json::Value;

/// What a scalar, an element or a key costs beside its bytes.
const OVERHEAD: usize = 2;

#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { left: limit, limit }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(bytes.saturating_add(OVERHEAD)).ok_or_else(|| self.exceeded())?;
        Ok(())
    }

    pub(super) fn spend_on(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) => self.spend(text.len()),
            Value::Array(list) => {
                self.spend(0).and_then(|()| list.iter().try_for_each(|value| self.spend_on(value)))
            }
            Value::Object(map) => {
                self.spend(0)?;
                map.iter()
                    .try_for_each(|(key, value)| self.spend(key.len()).and_then(|()| self.spend_on(value)))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.spend(0),
        }
    }

    pub(super) fn exceeded(&self) -> String {
        format!("the parameters are larger than {} bytes", self.limit)
    }
}
