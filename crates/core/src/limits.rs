//! What a sensor's or an action's program may take: `{memory, cpu_seconds, processes, open_files, file_size, output}`.

use serde_json::Value;

/// Limits of one program. What is absent is as the service has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Private memory of all its processes together, in bytes.
    pub memory: Option<u64>,
    /// Processor time of each of its processes.
    pub cpu_seconds: Option<u64>,
    /// How many processes it may be.
    pub processes: Option<u64>,
    /// Descriptors that each of its processes may hold open.
    pub open_files: Option<u64>,
    /// The size of a file that it writes, in bytes.
    pub file_size: Option<u64>,
    /// What it may print, in bytes.
    pub output: Option<u64>,
}

/// What is wrong with limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct LimitFault {
    /// The key; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

const SIZE: &str = "is a number of bytes of at least 1, or a text like 256M, 1G or 500K";
const COUNT: &str = "is a whole number of at least 1";

impl Limits {
    /// Reads limits. All faults are reported.
    pub fn parse(value: &Value) -> Result<Self, Vec<LimitFault>> {
        let map = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(map) => map,
            _ => {
                return Err(vec![fault(
                    "",
                    "limits are an object: {memory, cpu_seconds, processes, open_files, file_size, output}",
                )]);
            }
        };
        let (mut limits, mut faults) = (Self::default(), Vec::new());
        for (key, value) in map {
            if let Err(message) = limits.set(key, value) {
                faults.push(fault(key, message));
            }
        }
        if faults.is_empty() { Ok(limits) } else { Err(faults) }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), &'static str> {
        match key {
            "memory" => self.memory = Some(bytes(value)?),
            "cpu_seconds" => self.cpu_seconds = Some(count(value)?),
            "processes" => self.processes = Some(count(value)?),
            "open_files" => self.open_files = Some(count(value)?),
            "file_size" => self.file_size = Some(bytes(value)?),
            "output" => self.output = Some(bytes(value)?),
            _ => {
                return Err(
                    "unknown key; there are memory, cpu_seconds, processes, open_files, file_size, output",
                );
            }
        }
        Ok(())
    }
}

fn count(value: &Value) -> Result<u64, &'static str> {
    value.as_u64().filter(|count| *count > 0).ok_or(COUNT)
}

fn bytes(value: &Value) -> Result<u64, &'static str> {
    let bytes = match value {
        Value::String(text) => size(text),
        number => number.as_u64(),
    };
    bytes.filter(|bytes| *bytes > 0).ok_or(SIZE)
}

/// Digits and a unit, of a thousand each, with or without a B.
fn size(text: &str) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_uppercase();
    let factor = match unit.strip_suffix('B').unwrap_or(&unit) {
        "" => 1,
        "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn fault(at: &str, message: &str) -> LimitFault {
    LimitFault { at: at.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_have_units() {
        for (value, bytes) in [
            (json!("256M"), 256_000_000),
            (json!("256 MB"), 256_000_000),
            (json!("1g"), 1_000_000_000),
            (json!("500K"), 500_000),
            (json!("77"), 77),
            (json!(77), 77),
        ] {
            let limits = Limits::parse(&json!({"memory": value, "output": value})).unwrap();
            assert_eq!((limits.memory, limits.output), (Some(bytes), Some(bytes)), "{value}");
        }
    }

    #[test]
    fn none_are_no_limits() {
        assert_eq!(Limits::parse(&json!(null)), Ok(Limits::default()));
        assert_eq!(Limits::parse(&json!({})), Ok(Limits::default()));
    }

    #[test]
    fn faults_are_collected() {
        let wrong = json!({"memory": "lots", "cpu_seconds": 0, "processes": 1.5, "open_files": "7", "file_size": -1,
            "output": "99999999999G", "ram": 1});
        let places: Vec<_> = Limits::parse(&wrong).unwrap_err().into_iter().map(|fault| fault.at).collect();
        assert_eq!(
            places,
            ["cpu_seconds", "file_size", "memory", "open_files", "output", "processes", "ram"]
        );
        assert_eq!(Limits::parse(&json!("256M")).unwrap_err()[0].at, "");
    }
}
