//! Dotted paths into JSON: `payload.items[0].name`, `payload["a.b"]`.
//!
//! A path is parsed once, when a rule is saved, and walked for every event, so walking allocates nothing. A step that does
//! not fit the value it meets (a name in a number, an index beyond the end) finds nothing; it is never an error, because
//! conditions and templates give a missing field a meaning of their own.

use serde_json::Value;

/// A parsed path. The default one leads to the value itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path {
    steps: Box<[Step]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A name, and the index it also is when it meets a list: `items.0` is `items[0]`.
    Name(Box<str>, Option<usize>),
    Index(usize),
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no path: {reason}")]
pub struct PathError {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Path {
    /// Parses `name.name[index]["any name"]`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() || steps.is_empty() {
            let (step, after) = next_step(rest, steps.is_empty())
                .map_err(|reason| PathError { path: text.to_owned(), reason })?;
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps: steps.into() })
    }

    /// What the path leads to.
    pub fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(value, |value, step| step.of(value))
    }

    /// The letter of a text that it leads to by an index, as templates have it.
    pub(crate) fn letter(&self, value: &Value) -> Option<char> {
        letter(&self.steps, value)
    }

    /// The first name, and the path from there on (which may be empty and then leads to the value itself).
    pub(crate) fn split_first(&self) -> (Option<&str>, Path) {
        match self.steps.split_first() {
            Some((Step::Name(name, _), rest)) => (Some(name), Path { steps: rest.into() }),
            _ => (None, self.clone()),
        }
    }

    /// Whether it leads to the value itself.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

fn letter(steps: &[Step], value: &Value) -> Option<char> {
    let (Step::Index(index), before) = steps.split_last()? else { return None };
    match before.iter().try_fold(value, |value, step| step.of(value)) {
        Some(text) => text.as_str()?.chars().nth(*index),
        // A letter is a text of one letter.
        None => letter(before, value).filter(|_| *index == 0),
    }
}

impl Step {
    fn name(name: &str) -> Self {
        Self::Name(name.into(), name.parse().ok())
    }

    fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match (self, value) {
            (Self::Name(name, _), Value::Object(map)) => map.get(&**name),
            (Self::Name(_, Some(index)) | Self::Index(index), Value::Array(list)) => list.get(*index),
            _ => None,
        }
    }
}

/// Takes one step off `text`; the first one needs no dot before its name.
fn next_step(text: &str, first: bool) -> Result<(Step, &str), &'static str> {
    if let Some(inside) = text.strip_prefix('[') {
        return bracketed(inside);
    }
    let named =
        if first { text } else { text.strip_prefix('.').ok_or("a `.` or `[` is missing after `]`")? };
    let end = named.find(['.', '[', ']']).unwrap_or(named.len());
    match &named[..end] {
        "" => Err("a name is empty"),
        _ if named[end..].starts_with(']') => Err("a `]` without its `[`"),
        name => Ok((Step::name(name), &named[end..])),
    }
}

fn bracketed(inside: &str) -> Result<(Step, &str), &'static str> {
    if inside.starts_with('"') {
        let mut names = serde_json::Deserializer::from_str(inside).into_iter::<String>();
        let name = names.next().and_then(Result::ok).ok_or("the name in `[\"…\"]` does not end")?;
        let after = inside[names.byte_offset()..].strip_prefix(']').ok_or("a `[` without its `]`")?;
        return Ok((Step::Name(name.into(), None), after));
    }
    let (index, after) = inside.split_once(']').ok_or("a `[` without its `]`")?;
    let index = index.parse().map_err(|_| "an index is a number from 0 on")?;
    Ok((Step::Index(index), after))
}

/// The place of a key below `at`, written as a path, for messages.
pub(crate) fn key_place(at: &str, key: &str) -> String {
    if key.is_empty() || key.contains(['.', '[', ']', '"']) {
        return format!("{at}[{}]", Value::from(key));
    }
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// The place of an element below `at`, written as a path, for messages.
pub(crate) fn index_place(at: &str, index: usize) -> String {
    format!("{at}[{index}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn get(path: &str, value: &Value) -> Option<Value> {
        Path::parse(path).unwrap().get(value).cloned()
    }

    #[test]
    fn walks_names_and_indexes() {
        let value =
            json!({"payload": {"items": [{"name": "a"}, [1, 2]], "a.b": 3, "": 4, "größe": 5, "0": 6}});
        assert_eq!(get("payload.items[0].name", &value), Some(json!("a")));
        assert_eq!(get("payload.items.0.name", &value), Some(json!("a")));
        assert_eq!(get("payload.items[1][1]", &value), Some(json!(2)));
        assert_eq!(get(r#"payload["a.b"]"#, &value), Some(json!(3)));
        assert_eq!(get(r#"payload[""]"#, &value), Some(json!(4)));
        assert_eq!(get("payload.größe", &value), Some(json!(5)));
        assert_eq!(get("payload.0", &value), Some(json!(6)));
        assert_eq!(get("[1]", &json!([1, 2])), Some(json!(2)));
    }

    #[test]
    fn what_does_not_fit_is_missing() {
        let value = json!({"items": [1], "text": "abc", "nothing": null});
        for path in
            ["items[1]", "items.name", "text[0]", "text.length", "nothing.x", "items[18446744073709551615]"]
        {
            assert_eq!(get(path, &value), None, "{path}");
        }
    }

    #[test]
    fn refuses_what_is_no_path() {
        for path in [
            "", ".", "a.", ".a", "a..b", "a[", "a[]", "a[-1]", "a[x]", "a]", "a[0]b", "a[\"b]", "a[\"b\"",
            "a[0",
        ] {
            let error = Path::parse(path).unwrap_err();
            assert_eq!(error.path, path);
        }
    }

    #[test]
    fn places_read_back_as_paths() {
        let place = index_place(&key_place(&key_place("", "a"), "b.c"), 2);
        assert_eq!(place, r#"a["b.c"][2]"#);
        assert_eq!(get(&place, &json!({"a": {"b.c": [0, 1, 2]}})), Some(json!(2)));
    }
}
