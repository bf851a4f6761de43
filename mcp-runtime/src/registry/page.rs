//! One page of the registry. Pure.

use super::entry::Entry;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{cmp::Ordering, ops::ControlFlow};

/// Servers of a page that says no number, and most of any.
const SERVERS: usize = 30;
const MAX_SERVERS: usize = 100;
/// Most tools of a page. A server with more goes on in the next.
const MAX_TOOLS: usize = 500;
/// Longest cursor and search text, in bytes.
const MAX_TEXT: usize = 2_048;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    limit: usize,
    after: Option<Cursor>,
    search: Option<String>,
}

/// A query that cannot be answered; HTTP 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("query parameter {parameter:?}: {problem}")]
pub struct BadQuery {
    /// Its name.
    pub parameter: String,
    /// What is wrong, and what would be right.
    pub problem: &'static str,
}

/// The last that the page before had: all of a server, or its tools as far as this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
}

/// A page that is being filled, server by server in the order of their names.
#[derive(Debug)]
pub struct Page {
    query: Query,
    servers: Vec<(String, Value)>,
    /// How many tools there is room for.
    room: usize,
    next: Option<Cursor>,
}

impl Query {
    /// Reads the part of a URL behind `?`.
    ///
    /// # Errors
    /// [`BadQuery`]: also for parameters that are not known here, rather than to answer another question.
    pub fn read(query: Option<&str>) -> Result<Self, BadQuery> {
        let mut read = Self { limit: SERVERS, after: None, search: None };
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let bad = |problem| BadQuery { parameter: name.chars().take(40).collect(), problem };
            if value.len() > MAX_TEXT {
                return Err(bad("is too long"));
            }
            match &*name {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MAX_SERVERS).contains(limit));
                    read.limit = limit.ok_or_else(|| bad("use a number from 1 to 100"))?;
                }
                "cursor" if value.is_empty() => {}
                "cursor" => {
                    let cursor = Cursor::read(&value);
                    read.after = Some(cursor.ok_or_else(|| bad("is not one of ours: begin without it"))?);
                }
                "search" => read.search = Some(value.to_lowercase()),
                // There is one version of each.
                "version" if value == "latest" => {}
                "version" => return Err(bad("use latest, or leave it out")),
                _ => return Err(bad("is unknown: there are limit, cursor, search and version")),
            }
        }
        Ok(read)
    }

    /// Whether a server of this name belongs to the page or a later one.
    pub fn wants(&self, name: &str) -> bool {
        let fits = self.search.as_ref().is_none_or(|text| name.to_lowercase().contains(text));
        fits && self.after.as_ref().is_none_or(|after| match name.cmp(&after.server) {
            Ordering::Less => false,
            Ordering::Equal => after.tool.is_some(),
            Ordering::Greater => true,
        })
    }
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }
}

impl Page {
    /// An empty page.
    pub fn new(query: Query) -> Self {
        Self { query, servers: Vec::new(), room: MAX_TOOLS, next: None }
    }

    /// Whether any server is on it.
    pub fn has_servers(&self) -> bool {
        !self.servers.is_empty()
    }

    /// What it is a page of.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Adds a server that the query wants; the next by name. Breaks when the page is full.
    pub fn add(&mut self, mut entry: Entry) -> ControlFlow<()> {
        if self.servers.len() >= self.query.limit || self.room == 0 {
            let last = self.servers.last().map(|(name, _)| name.clone());
            self.next = last.map(|server| Cursor { server, tool: None });
            return ControlFlow::Break(());
        }
        let after = self.query.after.as_ref().filter(|after| after.server == entry.name);
        if let Some(last) = after.and_then(|after| after.tool.as_ref()) {
            entry.skip_to(last);
        }
        let last = entry.cut(self.room);
        self.room -= entry.tool_count();
        let name = entry.name.clone();
        self.servers.push((name.clone(), entry.into_json()));
        match last {
            None => ControlFlow::Continue(()),
            Some(tool) => {
                self.next = Some(Cursor { server: name, tool: Some(tool) });
                ControlFlow::Break(())
            }
        }
    }

    /// The document.
    pub fn into_json(self) -> Value {
        let mut metadata = json!({"count": self.servers.len()});
        if let Some(next) = self.next {
            metadata["nextCursor"] = json!(next.write());
        }
        let servers: Vec<Value> = self.servers.into_iter().map(|(_, server)| server).collect();
        json!({"servers": servers, "metadata": metadata})
    }
}

#[cfg(test)]
mod tests {
    use super::{super::entry::Listed, *};
    use proptest::{collection::btree_map, prelude::*};
    use std::collections::BTreeMap;

    fn entry(name: &str, tools: usize) -> Entry {
        let tool =
            |at| Listed { name: format!("tool-{at:04}"), title: None, description: None, upstream: None };
        Entry::here(name.to_owned(), "http://h/mcp".into(), (0..tools).map(tool).collect(), Vec::new())
    }

    fn page(fleet: &BTreeMap<String, usize>, query: &str) -> Value {
        let mut page = Page::new(Query::read(Some(query)).unwrap());
        for (name, tools) in fleet {
            if page.query().wants(name) && page.add(entry(name, *tools)).is_break() {
                break;
            }
        }
        page.into_json()
    }

    proptest! {
        #[test]
        fn the_pages_together_have_everything_once(
            fleet in btree_map("[a-c]{1,3}", 0_usize..1200, 0..12), limit in 1_usize..5,
        ) {
            let (mut seen, mut cursor) = (BTreeMap::<String, Vec<String>>::new(), String::new());
            loop {
                let page = page(&fleet, &format!("limit={limit}&cursor={cursor}"));
                let servers = page["servers"].as_array().unwrap();
                prop_assert!(servers.len() <= limit);
                for server in servers {
                    let tools = server["tools"].as_array().unwrap().iter();
                    let tools = tools.map(|tool| tool["name"].as_str().unwrap().to_owned());
                    seen.entry(server["server"]["name"].as_str().unwrap().to_owned()).or_default().extend(tools);
                }
                match page["metadata"]["nextCursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => break,
                }
            }
            let want: BTreeMap<String, Vec<String>> = fleet
                .iter()
                .map(|(name, tools)| (name.clone(), (0..*tools).map(|at| format!("tool-{at:04}")).collect()))
                .collect();
            prop_assert_eq!(seen, want);
        }

        #[test]
        fn any_query_is_read_or_refused(query in any::<String>()) {
            if let Ok(read) = Query::read(Some(&query)) {
                prop_assert!((1..=MAX_SERVERS).contains(&read.limit));
            }
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused_by_name() {
        for (query, parameter) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("cursor=x", "cursor"),
            ("updated_since=2026-01-01", "updated_since"),
            ("version=1.0.0", "version"),
        ] {
            assert_eq!(Query::read(Some(query)).unwrap_err().parameter, parameter);
        }
        let fleet = BTreeMap::from([("agents/crm".to_owned(), 1), ("agents/shop".to_owned(), 1)]);
        assert_eq!(page(&fleet, "search=CRM&version=latest")["metadata"]["count"], 1);
    }
}
