//! What search needs of one snapshot, made when it is first asked for.

use super::{
    answer::{Found, Ranking},
    document::Document,
    fuse::fuse,
    index::{Hit, Index},
    nearest::nearest,
    offered::Helper,
    vectors::{self, Key},
};
use crate::{
    catalog::{Entry, lists::Listed},
    identity::{Principal, matches},
};
use mcpfleet_config::{ToolPriority, ToolSearch, schema::ArgumentSchema};
use mcpfleet_protocol::Tool;
use std::sync::{Arc, OnceLock};

/// Finds tools of one snapshot.
#[derive(Debug)]
pub struct Finder {
    settings: ToolSearch,
    tools: Listed,
    helpers: [(Tool, Arc<Entry>); 2],
    index: OnceLock<Index>,
    /// Which text each tool is to a model of embeddings.
    keys: OnceLock<Vec<Key>>,
}

impl Finder {
    /// A finder; `entry` makes what carries the helpers out.
    pub fn new(settings: ToolSearch, tools: Listed, entry: impl Fn(Helper) -> Arc<Entry>) -> Self {
        let helpers = Helper::ALL.map(|helper| (helper.definition(), entry(helper)));
        Self { settings, tools, helpers, index: OnceLock::new(), keys: OnceLock::new() }
    }

    /// What was configured.
    pub fn settings(&self) -> &ToolSearch {
        &self.settings
    }

    /// The helper of this name.
    pub fn helper(&self, name: &str) -> Option<&Arc<Entry>> {
        self.helpers.iter().find(|(tool, _)| tool.name == name).map(|(_, entry)| entry)
    }

    /// Both helpers.
    pub fn helpers(&self) -> &[(Tool, Arc<Entry>)] {
        &self.helpers
    }

    /// Whether the list of a caller who may use this many tools is a short one.
    pub fn shortens(&self, usable: usize) -> bool {
        usable > usize::try_from(self.settings.above).unwrap_or(usize::MAX)
    }

    /// Whether a tool stands in the short list too.
    pub fn always(&self, name: &str, rank: ToolPriority) -> bool {
        rank == ToolPriority::High || self.settings.always.iter().any(|pattern| matches(pattern, name))
    }

    /// All tools, of which a caller sees his part.
    pub fn tools(&self) -> &[(Tool, Arc<Entry>)] {
        &self.tools
    }

    /// What arguments of a helper must fit.
    pub fn schema(helper: Helper) -> Option<&'static ArgumentSchema> {
        static SCHEMAS: OnceLock<[Option<ArgumentSchema>; 2]> = OnceLock::new();
        let [search, call] = SCHEMAS.get_or_init(|| Helper::ALL.map(Helper::arguments));
        match helper {
            Helper::Search => search.as_ref(),
            Helper::Call => call.as_ref(),
        }
    }

    /// Which tools a caller may use.
    pub fn visible(&self, caller: &Principal) -> Vec<bool> {
        self.tools.iter().map(|(tool, entry)| caller.may_use(&entry.scopes, &tool.name)).collect()
    }

    /// Tools by the words of a query, the best first.
    pub fn by_words(&self, query: &str, visible: &[bool]) -> Vec<Hit> {
        let documents =
            || self.tools.iter().map(|(tool, entry)| Document::of(tool, &entry.target)).collect::<Vec<_>>();
        self.index.get_or_init(|| Index::new(&documents())).search(query, visible)
    }

    /// What names the vector of each tool.
    pub(super) fn keys(&self, model: &str) -> &[Key] {
        let key = |(tool, entry): &(Tool, Arc<Entry>)| {
            vectors::key(model, &Document::of(tool, &entry.target).text())
        };
        self.keys.get_or_init(|| self.tools.iter().map(key).collect())
    }

    /// What a model of embeddings reads of a tool.
    pub(super) fn text(&self, at: usize) -> String {
        let tool = self.tools.get(at).map(|(tool, entry)| Document::of(tool, &entry.target).text());
        tool.unwrap_or_default()
    }

    /// What a search found: by words, and by meaning where that is known.
    pub fn found(&self, query: &str, visible: &[bool], ranking: Ranking, limit: Option<u32>) -> Found<'_> {
        let words = self.by_words(query, visible);
        let (hits, ranked, notice) = match ranking {
            Ranking::Words { notice } => (words, "words", notice),
            Ranking::Meaning(meaning) => (fuse(&words, &meaning), "words and meaning", None),
        };
        let limit = usize::try_from(limit.unwrap_or(self.settings.results)).unwrap_or(usize::MAX);
        let matched = hits.len();
        let tools =
            hits.iter().take(limit).filter_map(|hit| Some((self.tools.get(hit.document)?, hit.score)));
        let nearest = if matched == 0 { self.nearest(query, visible) } else { Vec::new() };
        Found { tools: tools.collect(), matched, ranked, notice, nearest, query: query.to_owned() }
    }

    /// Names that look like a text, of those that may be used.
    pub fn nearest(&self, text: &str, visible: &[bool]) -> Vec<&str> {
        let names = self.tools.iter().zip(visible).filter(|(_, seen)| **seen);
        nearest(text, names.map(|((tool, _), _)| tool.name.as_str()))
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
