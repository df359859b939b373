//! One value of the merged tree, read as the type that its key asks for.
//!
//! A file says which type it means, the environment can not: there everything is text, and the key decides. So text that
//! reads as a number is a number when it comes from the environment, and a fault when it comes from a file.

use serde_json::Value;

/// A value as it was given, and whether it came from the environment.
pub(super) struct Given {
    /// The value, without the tags of the merge.
    pub(super) value: Value,
    /// Whether its type is still open.
    pub(super) from_environment: bool,
}

impl Given {
    /// Text that says something.
    pub(super) fn text(&self) -> Option<String> {
        self.value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.environment_text()?.parse().ok())
    }

    /// A whole number that is not negative.
    pub(super) fn whole(&self) -> Option<u64> {
        self.value.as_u64().or_else(|| self.environment_text()?.parse().ok())
    }

    /// Any finite number.
    pub(super) fn number(&self) -> Option<f64> {
        let number = self.value.as_f64().or_else(|| self.environment_text()?.parse().ok());
        number.filter(|number| number.is_finite())
    }

    /// A value without a type of its own: JSON where the environment's text is JSON, else as it stands.
    pub(super) fn json(&self) -> Value {
        match self.environment_text().and_then(|text| serde_json::from_str(text).ok()) {
            Some(json) => json,
            None => self.value.clone(),
        }
    }

    /// What it is, in words; its content only when `shown`, since it may be a secret.
    pub(super) fn describe(&self, shown: bool) -> String {
        match &self.value {
            Value::Number(number) if shown => number.to_string(),
            Value::Bool(flag) if shown => flag.to_string(),
            Value::String(text) if shown && text.chars().count() <= 40 => format!("{text:?}"),
            Value::String(_) => "text".to_owned(),
            Value::Bool(_) => "true or false".to_owned(),
            Value::Object(_) => "a section".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Number(_) => "a number".to_owned(),
            Value::Null => "nothing".to_owned(),
        }
    }

    fn environment_text(&self) -> Option<&str> {
        self.from_environment.then(|| self.value.as_str()).flatten().map(str::trim)
    }
}
