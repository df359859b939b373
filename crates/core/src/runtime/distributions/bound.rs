//! The oldest version that will do.

use serde_json::Value;

use crate::version::Version;

/// `min_version` or `recommended_version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Every version will do.
    None,
    /// This version or a later one.
    AtLeast(Version),
    /// What is written is no version; it is quoted here.
    Unreadable(String),
}

/// What a version is against one bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shortfall {
    /// It is too old.
    #[error("version {found} is below {bound}")]
    Below {
        /// The version of this machine.
        found: Version,
        /// The version asked for.
        bound: Version,
    },
    /// The output did not say which version it is.
    #[error("its version could not be read, and {0} is asked for")]
    Unknown(Version),
    /// The bound itself is no version.
    #[error("{0} is not a version (text such as \"1.2\")")]
    Unreadable(String),
}

impl Bound {
    pub(super) fn parse(bound: Option<&Value>) -> Self {
        let text = match bound {
            None | Some(Value::Null) => return Self::None,
            Some(Value::String(text)) => Some(text.clone()),
            // 16 is a version. 3.10 is none as a number: it would be 3.1.
            Some(number) => number.as_u64().map(|number| number.to_string()),
        };
        match text.as_deref().and_then(Version::parse) {
            Some(version) => Self::AtLeast(version),
            None => Self::Unreadable(bound.unwrap_or(&Value::Null).to_string()),
        }
    }

    /// Whether a version will do. One that nobody knows does not meet a bound.
    pub fn check(&self, version: Option<&Version>) -> Result<(), Shortfall> {
        match (self, version) {
            (Self::Unreadable(written), _) => Err(Shortfall::Unreadable(written.clone())),
            (Self::AtLeast(bound), None) => Err(Shortfall::Unknown(bound.clone())),
            (Self::AtLeast(bound), Some(found)) if found < bound => {
                Err(Shortfall::Below { found: found.clone(), bound: bound.clone() })
            }
            (Self::None | Self::AtLeast(_), _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_are_lenient_about_how_a_version_is_written() {
        let bound = |value: Value| Bound::parse(Some(&value));
        let found = Version::parse("16.0.0");
        for low in [json!("16"), json!(16), json!("v15.9"), json!("3.8"), json!(null)] {
            assert_eq!(bound(low).check(found.as_ref()), Ok(()));
        }
        assert_eq!(Bound::parse(None).check(None), Ok(()));
        let message = bound(json!("16.0.1")).check(found.as_ref()).unwrap_err().to_string();
        assert_eq!(message, "version 16.0.0 is below 16.0.1");
    }

    #[test]
    fn a_bound_that_can_not_be_checked_is_not_met() {
        let bound = |value: Value| Bound::parse(Some(&value)).check(Version::parse("9").as_ref());
        for hostile in [json!("latest"), json!(3.10), json!(["3"]), json!(-1), json!({})] {
            assert!(matches!(bound(hostile), Err(Shortfall::Unreadable(_))));
        }
        let unknown = Bound::parse(Some(&json!("3"))).check(None).unwrap_err().to_string();
        assert_eq!(unknown, "its version could not be read, and 3 is asked for");
    }
}
