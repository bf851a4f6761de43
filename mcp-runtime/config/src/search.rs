//! Tool search: a short list and a way to find the rest. Format 4.

use crate::{Invalid, Provider};
use serde::{Deserialize, Serialize};

/// The tool that finds tools. While search is on, nothing else has this name.
pub const SEARCH_TOOLS: &str = "search_tools";
/// The tool that calls what was found, for clients that call only what is listed.
pub const CALL_TOOL: &str = "call_tool";

/// Most tools of one answer.
pub const MAX_RESULTS: u32 = 20;
/// Most patterns in [`ToolSearch::always`].
const MAX_ALWAYS: usize = 64;
/// Longest pattern, in bytes: as long as a tool's name.
const MAX_PATTERN: usize = 128;

/// When a list becomes short, and how the rest is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolSearch {
    /// A caller who may use more tools than this gets the short list. 0..=10,000.
    pub above: u32,
    /// Patterns of the names that stand in the short list too; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<String>,
    /// How many tools an answer has where the caller does not say. 1..=[`MAX_RESULTS`].
    pub results: u32,
    /// Ranking by meaning beside that by words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<Embeddings>,
}

/// A model that turns texts into vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Embeddings {
    /// One of the providers' models.
    pub model: String,
    /// How long a search waits for the vector of its query before it goes by words alone, in ms. 1..=60,000.
    pub timeout_ms: u64,
}

impl ToolSearch {
    /// What is wrong with it.
    pub(crate) fn check(&self, providers: &[Provider]) -> Result<(), Invalid> {
        let refuse = |field: &str, reason: &str| {
            Err(Invalid { field: format!("toolSearch.{field}"), reason: reason.to_owned() })
        };
        if self.above > 10_000 {
            return refuse("above", "is above 10000");
        }
        if !(1..=MAX_RESULTS).contains(&self.results) {
            return refuse("results", "is outside 1..=20");
        }
        if self.always.len() > MAX_ALWAYS {
            return refuse("always", "has more than 64 patterns");
        }
        if self.always.iter().any(|pattern| !(1..=MAX_PATTERN).contains(&pattern.len())) {
            return refuse("always", "has a pattern that is empty or longer than 128 bytes");
        }
        let Some(embeddings) = &self.embeddings else { return Ok(()) };
        if !(1..=60_000).contains(&embeddings.timeout_ms) {
            return refuse("embeddings.timeoutMs", "is outside 1..=60000");
        }
        if providers.iter().all(|provider| !provider.models.contains(&embeddings.model)) {
            return refuse("embeddings.model", "is no model of any provider here");
        }
        Ok(())
    }
}

/// Whether search needs this name for itself.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, SEARCH_TOOLS | CALL_TOOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(change: impl Fn(&mut ToolSearch)) -> String {
        let mut search = ToolSearch { above: 40, always: Vec::new(), results: 5, embeddings: None };
        change(&mut search);
        search.check(&[]).map_or_else(|invalid| invalid.field, |()| String::new())
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_its_field() {
        assert_eq!(field(|_| ()), "");
        assert_eq!(field(|search| search.above = 0), "", "always short");
        assert_eq!(field(|search| search.above = 10_001), "toolSearch.above");
        assert_eq!(field(|search| search.results = 0), "toolSearch.results");
        assert_eq!(field(|search| search.results = 21), "toolSearch.results");
        assert_eq!(field(|search| search.always = vec![String::new()]), "toolSearch.always");
        assert_eq!(field(|search| search.always = vec!["a".into(); 65]), "toolSearch.always");
        let model = |timeout_ms| Some(Embeddings { model: "m".into(), timeout_ms });
        assert_eq!(field(|search| search.embeddings = model(0)), "toolSearch.embeddings.timeoutMs");
        assert_eq!(field(|search| search.embeddings = model(5)), "toolSearch.embeddings.model");
    }
}
