//! The operator's configuration in the job file: an object of JSON, read strictly.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::json;
use crate::raw::{apus_args, apus_bytes, apus_str};

/// What the job file says for an operator, lent to `configure`.
///
/// All functions fail with what was found and what was expected.
pub struct Config {
    json: String,
    fields: Vec<(String, String)>,
    job: String,
    operator_id: String,
    subtask: u32,
    parallelism: u32,
}

impl Config {
    /// # Safety
    ///
    /// The arguments are the host's.
    pub(crate) unsafe fn from_args(args: &apus_args) -> Result<Config> {
        let text = |s: apus_str| bytes(apus_bytes { data: s.data as *const u8, len: s.len });
        let mut config = Config::parse(&bytes(args.config))?;
        config.job = text(args.job);
        config.operator_id = text(args.operator_id);
        config.subtask = args.subtask;
        config.parallelism = args.parallelism;
        Ok(config)
    }

    /// Reads a configuration.
    pub fn parse(json: &str) -> Result<Config> {
        let json = if json.is_empty() || json == "null" { "{}" } else { json };
        let fields = json::object(json).ok_or_else(|| {
            Error::config(format!("config is {}; expected an object of JSON", shown(json)))
        })?;
        Ok(Config {
            json: json.into(),
            fields,
            job: String::new(),
            operator_id: String::new(),
            subtask: 0,
            parallelism: 1,
        })
    }

    /// The whole of it.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The job's name.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// The operator's id in the job.
    pub fn operator_id(&self) -> &str {
        &self.operator_id
    }

    /// Which of the operator's subtasks this instance is, from 0.
    pub fn subtask(&self) -> u32 {
        self.subtask
    }

    /// How many subtasks the operator has.
    pub fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// A field as it stands in the JSON: for lists and objects.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Result<i64> {
        self.read(name, "a whole number", |text| text.parse().ok())
    }

    /// A whole number within bounds.
    pub fn integer_in(&self, name: &str, bounds: RangeInclusive<i64>) -> Result<i64> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.read(name, &expected, |text| text.parse().ok().filter(|n| bounds.contains(n)))
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<f64> {
        let is_number = |text: &&str| !text.starts_with(|c: char| c.is_alphabetic() || c == '"');
        self.read(name, "a number", |text| {
            Some(text).filter(is_number).and_then(|text| text.parse().ok())
        })
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<String> {
        self.read(name, "a text", json::text)
    }

    /// A truth value.
    pub fn boolean(&self, name: &str) -> Result<bool> {
        self.read(name, "true or false", |text| text.parse().ok())
    }

    /// Refuses fields with other names, and so finds the misspelled one.
    pub fn allow_only(&self, names: &[&str]) -> Result {
        match self.fields.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => Err(Error::config(format!(
                "unknown key '{}'; expected '{}'",
                name,
                names.join("' '")
            ))),
        }
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let text = self
            .raw(name)
            .ok_or_else(|| Error::config(format!("no '{}'; expected {}", name, expected)))?;
        parse(text).ok_or_else(|| {
            Error::config(format!("'{}' is {}; expected {}", name, shown(text), expected))
        })
    }
}

fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}

unsafe fn bytes(bytes: apus_bytes) -> String {
    String::from_utf8_lossy(crate::state::lent(bytes)).into_owned()
}
