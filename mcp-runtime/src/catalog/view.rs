//! Which of the tools a caller sees.
//!
//! In: all tools with the scopes that they need, and a caller. Out: the two eras' lists, written once for each distinct set
//! of tools that somebody sees, and kept in a bounded number: callers are many, what they may is not.

use crate::identity::Principal;
use mcpfleet_protocol::{
    Era, Tool,
    answer::{CachePolicy, Implementation, ToolsPage, list_tools},
    json::JsonText,
};
use moka::sync::Cache;
use std::sync::Arc;

/// Distinct sets that are kept.
const MAX_VIEWS: u64 = 256;

/// A tool in the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What clients see.
    pub tool: Tool,
    /// Scopes that a caller needs.
    pub scopes: Vec<String>,
}

/// One list, in both eras.
#[derive(Debug)]
pub struct View {
    legacy: JsonText,
    modern: JsonText,
}

/// Every list of one snapshot.
#[derive(Debug)]
pub struct Views {
    all: Vec<Listed>,
    server: Implementation,
    cache: CachePolicy,
    whole: Arc<View>,
    /// By what is visible, a bit for each tool.
    others: Cache<Vec<u8>, Arc<View>>,
}

/// Whether the caller is shown a tool that needs these scopes: only what it may use.
pub fn visible(caller: &Principal, listed: &Listed) -> bool {
    caller.may_use(&listed.scopes, &listed.tool.name)
}

impl Views {
    /// Views of these tools, in this order.
    pub fn new(all: Vec<Listed>, server: Implementation, cache: CachePolicy) -> Self {
        let whole = Arc::new(View::write(all.iter(), &server, cache));
        Self { all, server, cache, whole, others: Cache::new(MAX_VIEWS) }
    }

    /// What somebody sees who may use everything.
    pub fn whole(&self) -> &Arc<View> {
        &self.whole
    }

    /// What this caller sees.
    pub fn of(&self, caller: &Principal) -> Arc<View> {
        let mut bits = vec![0_u8; self.all.len().div_ceil(8)];
        let mut hidden = 0;
        for (at, listed) in self.all.iter().enumerate() {
            match bits.get_mut(at / 8) {
                Some(byte) if visible(caller, listed) => *byte |= 1 << (at % 8),
                _ => hidden += 1,
            }
        }
        if hidden == 0 {
            return self.whole.clone();
        }
        self.others.get_with(bits, || {
            let shown = self.all.iter().filter(|listed| visible(caller, listed));
            Arc::new(View::write(shown, &self.server, self.cache))
        })
    }
}

impl View {
    fn write<'a>(
        shown: impl Iterator<Item = &'a Listed>,
        server: &Implementation,
        cache: CachePolicy,
    ) -> Self {
        let tools: Vec<Tool> = shown.map(|listed| listed.tool.clone()).collect();
        let page = ToolsPage { tools: &tools, next_cursor: None, cache, server };
        Self { legacy: list_tools(&page, Era::Legacy), modern: list_tools(&page, Era::Modern) }
    }

    /// The list as clients of `era` read it.
    pub fn of(&self, era: Era) -> &JsonText {
        match era {
            Era::Legacy => &self.legacy,
            Era::Modern => &self.modern,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_protocol::answer::CacheScope;
    use proptest::prelude::*;
    use serde_json::Value;

    fn views(scopes: &[Vec<String>]) -> Views {
        let listed = |(at, scopes): (usize, &Vec<String>)| Listed {
            tool: Tool::new(format!("t{at}"), JsonText::empty_object()),
            scopes: scopes.clone(),
        };
        let cache = CachePolicy { ttl_ms: 1, scope: CacheScope::Private };
        Views::new(scopes.iter().enumerate().map(listed).collect(), Implementation::new("s", "1"), cache)
    }

    fn names(view: &View, era: Era) -> Vec<String> {
        let list: Value = serde_json::from_str(view.of(era).as_str()).unwrap();
        list["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }

    proptest! {
        #[test]
        fn a_caller_sees_exactly_what_it_may_use(
            needed in proptest::collection::vec(proptest::collection::vec("[abc]", 0..3), 0..20),
            granted in proptest::collection::vec("[abc]", 0..3),
        ) {
            let views = views(&needed);
            let caller = Principal { scopes: granted.iter().cloned().collect(), ..Principal::default() };
            let expected: Vec<String> = (0..needed.len())
                .filter(|at| needed[*at].iter().all(|scope| granted.contains(scope)))
                .map(|at| format!("t{at}"))
                .collect();
            for era in [Era::Legacy, Era::Modern] {
                prop_assert_eq!(names(&views.of(&caller), era), expected.clone());
            }
            // The second time it comes from the cache.
            prop_assert!(Arc::ptr_eq(&views.of(&caller), &views.of(&caller)));
        }
    }
}
