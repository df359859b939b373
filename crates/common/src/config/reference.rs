//! The reference of the configuration, made of the walk that reads it.

use std::path::PathBuf;

use serde_json::Value;

use super::{Config, Setting, Sources, Survey, env};

const HEAD: &str = "\
# Configuration

Every key, its environment variable, its default and what it means. `make docs` writes this page from the code that reads
the configuration.

Three layers, later wins:

1. the defaults below;
2. a YAML file: the one that `--config` names, else the one that `ATTUNE_CONFIG` names, else `config.yaml` in the working
   directory, when there is one;
3. environment variables: `ATTUNE__SECTION__KEY` sets `section.key`, as text that is read as its key asks.

`attune config show` prints what is in force and where each value came from, `attune config check FILE` looks for faults. An
unknown key, a wrong type or an impossible value stops every program at its start, with one message that lists all faults.

```yaml
database: {url: postgresql://attune@db.example/attune}
sensor:
  poll_interval: 10
  capabilities: {runtimes: [python, shell]}
server: {port: 8090}
```
";

/// The page `docs/configuration.md`.
pub fn page() -> String {
    let (_, survey) = Config::survey(&described_machine());
    let mut page = HEAD.to_owned();
    section(
        &mut page,
        &survey,
        "",
        "Top level",
        "What Attune keeps on a machine, and how long a worker keeps its place.",
    );
    for (key, about) in &survey.sections {
        section(&mut page, &survey, key, &format!("`{key}`"), about);
    }
    variables(&mut page);
    page
}

/// What depends on the machine is described by one whose names say what they stand for.
fn described_machine() -> Sources {
    Sources {
        env: vec![(env::HOME.into(), "/home/USER".into())],
        cwd: PathBuf::from("/"),
        hostname: "HOSTNAME".to_owned(),
        ..Sources::default()
    }
}

fn section(page: &mut String, survey: &Survey, key: &str, title: &str, about: &str) {
    let own = |setting: &&Setting| setting.key.rsplit_once('.').map_or("", |(section, _)| section) == key;
    page.extend([format!("\n## {title}\n\n{about}\n\n| key | variable | value | default | what it is |\n")]);
    page.push_str("|---|---|---|---|---|\n");
    for Setting { key, variable, expected, default, about, .. } in survey.settings.iter().filter(own) {
        let default = shown(default);
        page.extend([format!("| `{key}` | `{variable}` | {expected} | {default} | {about} |\n")]);
    }
}

fn shown(default: &Value) -> String {
    match default {
        Value::Null => "none".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

fn variables(page: &mut String) {
    page.push_str("\n## Other variables\n\nThese are no keys; they stand for themselves.\n\n| variable | what it does |\n|---|---|\n");
    for (name, about) in env::VARIABLES {
        page.extend([format!("| `{name}` | {} |\n", about.trim())]);
    }
}
