//! Something that the author of a file should know: where, what, why, and what to do.

use mcpfleet_crds::compile::{Finding, Severity as CompileSeverity};
use serde::Serialize;
use std::{fmt, path::Path};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is not served because of it.
    Error,
    /// It serves, but probably not as meant.
    Warning,
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Which file, as it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Which line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Kind, namespace and name, when they can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Path of the field, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Why, for machines; the same words as in conditions.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    /// An error without a place yet.
    pub fn error(reason: &'static str, message: impl Into<String>, remedy: &str) -> Self {
        Self {
            file: None,
            line: None,
            object: None,
            field: None,
            severity: Severity::Error,
            reason,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The same, as a warning.
    pub fn warning(reason: &'static str, message: impl Into<String>, remedy: &str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(reason, message, remedy) }
    }

    /// A configuration file that cannot be served.
    pub fn of_input(path: &Path, message: &str) -> Self {
        let remedy = "mend the file; what was served before goes on";
        Self { file: Some(path.display().to_string()), ..Self::error("ConfigRefused", message, remedy) }
    }

    /// A finding of compile, at the place of its object.
    pub fn of_finding(finding: &Finding, place: Option<&(String, u64)>) -> Self {
        let severity = match finding.severity {
            CompileSeverity::Error => Severity::Error,
            CompileSeverity::Warning => Severity::Warning,
        };
        Self {
            file: place.map(|(file, _)| file.clone()),
            line: place.map(|(_, line)| *line),
            object: Some(finding.object.to_string()),
            field: Some(finding.field.clone()),
            severity,
            reason: finding.reason.as_str(),
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
        }
    }

    /// The same, at a place.
    pub fn at(self, file: &str, line: u64) -> Self {
        Self { file: Some(file.to_owned()), line: Some(line), ..self }
    }

    /// The same, about an object.
    pub fn about(self, object: impl fmt::Display) -> Self {
        Self { object: Some(object.to_string()), ..self }
    }

    /// The same, about a field.
    pub fn field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        for part in [&self.object, &self.field].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        write!(f, "{}; {} ({})", self.message, self.remedy, self.reason)
    }
}
