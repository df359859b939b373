//! What the definitions of all kinds have in common.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Kind;

/// A thing that a pack defines, as the columns of its table.
///
/// [`Definition::definition`] is what `pack_item` remembers of the last load. It leaves out `ref`, which is the key there,
/// and `enabled`, which belongs to the operator after the first load.
pub trait Definition: Serialize + DeserializeOwned {
    /// The kind of thing.
    const KIND: Kind;

    /// Its unique name.
    fn item_ref(&self) -> &str;

    /// Renames it.
    fn set_ref(&mut self, item_ref: String);

    /// Its columns as JSON, refs instead of ids.
    fn definition(&self) -> Value {
        serde_json::to_value(self).expect("columns are JSON values under text keys")
    }

    /// The contrary of [`Definition::definition`].
    fn from_definition(item_ref: &str, definition: Value) -> Result<Self, serde_json::Error> {
        let mut this: Self = serde_json::from_value(definition)?;
        this.set_ref(item_ref.to_owned());
        Ok(this)
    }
}

/// Writes [`Definition`] for a struct with a field `r#ref`.
macro_rules! define {
    ($type:ty, $kind:ident) => {
        impl $crate::pack::Definition for $type {
            const KIND: $crate::pack::Kind = $crate::pack::Kind::$kind;

            fn item_ref(&self) -> &str {
                &self.r#ref
            }

            fn set_ref(&mut self, item_ref: String) {
                self.r#ref = item_ref;
            }
        }
    };
}
pub(super) use define;

/// Things are enabled unless their file says otherwise.
pub(super) const fn enabled() -> bool {
    true
}
