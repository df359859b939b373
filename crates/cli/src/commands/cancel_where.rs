//! `attune execution cancel --where ...`: many at once, after they were counted and the person agreed.

use std::io::{IsTerminal, Write};

use serde_json::{Map, Value, json};

use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::failure::Failure;
use crate::output;

const PATH: &str = "/api/executions/cancel";

/// Cancels what fits, if there is any and the person agrees.
pub(crate) fn cancel(
    global: &Global,
    filters: &[(String, String)],
    older_than: Option<&str>,
    yes: bool,
) -> anyhow::Result<()> {
    let client = Client::new(global)?;
    let given = description(filters, older_than)?;
    if !yes {
        let counted = client.post(PATH, &json!({"where": given, "dry_run": true}))?;
        if counted["requested"] == 0 && counted["running"] == 0 {
            return output::text("nothing fits: no execution is cancelled");
        }
        if !agrees(&counted)? {
            return output::text("no execution is cancelled");
        }
    }
    let answer = client.post(PATH, &json!({"where": given}))?;
    match global.output {
        Format::Json => output::json(&answer),
        Format::Table => output::text(&format!(
            "{} cancelled before they began, {} being ended by their workers",
            answer["requested"], answer["running"]
        )),
    }
}

/// The filters as the API takes them: an id is a number.
fn description(filters: &[(String, String)], older_than: Option<&str>) -> Result<Value, Failure> {
    let mut given = Map::new();
    for (column, value) in filters {
        let value = match column.as_str() {
            "event" => match value.parse::<i64>() {
                Ok(id) => Value::from(id),
                Err(_) => return Err(usage(format!("--where event={value}: an event is named by its id"))),
            },
            _ => Value::from(value.as_str()),
        };
        if given.insert(column.clone(), value).is_some() {
            return Err(usage(format!("--where {column} is given twice")));
        }
    }
    if let Some(span) = older_than {
        given.insert("older_than".to_owned(), Value::from(span));
    }
    Ok(Value::Object(given))
}

fn usage(message: String) -> Failure {
    Failure::Usage(message)
}

/// Asks the person at the terminal. Where there is none, `--yes` has to say it.
#[expect(clippy::print_stderr, reason = "the question is for the person who typed the command")]
fn agrees(counted: &Value) -> anyhow::Result<bool> {
    let what = format!("{} that wait and {} that run", counted["requested"], counted["running"]);
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(usage(format!("this would cancel {what}; add --yes to do it")).into());
    }
    eprint!("Cancel {what}? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn filters_become_a_description() {
        let filters = pairs(&[("action_ref", "demo.slow"), ("event", "7")]);
        let expected = json!({"action_ref": "demo.slow", "event": 7, "older_than": "1h"});
        assert_eq!(description(&filters, Some("1h")).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(description(&pairs(&[("event", "seven")]), None).is_err());
        assert!(description(&pairs(&[("status", "running"), ("status", "requested")]), None).is_err());
    }
}
