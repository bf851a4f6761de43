//! The four lists, written once for each revision that asks for one.

use super::{Entry, directory::Offer};
use crate::identity::Principal;
use mcpfleet_protocol::{
    Era, Revision, Tool,
    answer::{CachePolicy, CacheScope, Definition, Implementation, ListPage, list},
    client::ListKind,
    json::JsonText,
};
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

const REVISIONS: usize = Revision::KNOWN.len();

/// Everything that is listed, and the lists that were written.
#[derive(Debug)]
pub struct Lists {
    cache: CachePolicy,
    tools: Vec<(Tool, Arc<Entry>)>,
    /// Prompts, resources, templates.
    offers: [Vec<Arc<Offer>>; 3],
    /// Whether what is listed depends on who asks.
    restricted: [bool; 4],
    written: [[OnceLock<JsonText>; REVISIONS]; 4],
}

impl Lists {
    /// In this order. `offers` are prompts, resources and templates.
    pub fn new(cache: CachePolicy, tools: Vec<(Tool, Arc<Entry>)>, offers: [Vec<Arc<Offer>>; 3]) -> Self {
        let scoped = |offers: &Vec<Arc<Offer>>| offers.iter().any(|offer| !offer.scopes.is_empty());
        let [prompts, resources, templates] = &offers;
        let restricted = [
            tools.iter().any(|(_, entry)| !entry.scopes.is_empty()),
            scoped(prompts),
            scoped(resources),
            scoped(templates),
        ];
        Self { cache, tools, offers, restricted, written: Default::default() }
    }

    /// The whole list, for everybody who may use all that is in it.
    pub fn whole(&self, kind: ListKind, revision: Revision, server: &Implementation) -> &JsonText {
        let at = Revision::KNOWN.iter().position(|known| *known == revision).unwrap_or_default();
        self.written[place(kind)][at].get_or_init(|| self.write(kind, revision, server, None))
    }

    /// The list for one caller: what he may not use is not in it.
    pub fn for_caller(
        &self,
        kind: ListKind,
        revision: Revision,
        server: &Implementation,
        caller: &Principal,
    ) -> Cow<'_, JsonText> {
        let limited =
            self.restricted[place(kind)] || (kind == ListKind::Tools && caller.is_limited_to_tools());
        if limited {
            Cow::Owned(self.write(kind, revision, server, Some(caller)))
        } else {
            Cow::Borrowed(self.whole(kind, revision, server))
        }
    }

    fn write(
        &self,
        kind: ListKind,
        revision: Revision,
        server: &Implementation,
        caller: Option<&Principal>,
    ) -> JsonText {
        let items: Vec<JsonText> = match kind {
            ListKind::Tools => {
                let visible = self.tools.iter().filter(|(tool, entry)| {
                    caller.is_none_or(|caller| caller.may_use(&entry.scopes, &tool.name))
                });
                visible.map(|(tool, _)| tool.write(revision)).collect()
            }
            kind => {
                let offers = self.offers[place(kind) - 1].iter();
                let visible =
                    offers.filter(|offer| caller.is_none_or(|caller| caller.has_scopes(&offer.scopes)));
                visible.map(|offer| Definition::write(&offer.definition, revision)).collect()
            }
        };
        let scope = if caller.is_some() { CacheScope::Private } else { self.cache.scope };
        let cache = CachePolicy { scope, ..self.cache };
        list(&ListPage { kind, items: &items, next_cursor: None, cache, server }, revision)
    }
}

/// The revision whose list stands for its era's.
pub fn latest(era: Era) -> Revision {
    match era {
        Era::Legacy => Revision::LATEST_LEGACY,
        Era::Modern => Revision::LATEST_MODERN,
    }
}

const fn place(kind: ListKind) -> usize {
    match kind {
        ListKind::Tools => 0,
        ListKind::Prompts => 1,
        ListKind::Resources => 2,
        ListKind::ResourceTemplates => 3,
    }
}
