//! The four lists, written once for each revision that asks for one.

use super::{
    Entry,
    directory::Offer,
    task_tools::{TaskTools, followers},
};
use crate::{identity::Principal, search::Finder};
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision, Tool,
    answer::{CachePolicy, CacheScope, Definition, Implementation, ListPage, list},
    client::ListKind,
    json::JsonText,
    task::EXTENSION,
};
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

const REVISIONS: usize = Revision::KNOWN.len();

/// Tools with what carries them out, in the order of the list.
pub type Listed = Arc<[(Tool, Arc<Entry>)]>;

/// Which tools a client is shown: they differ where calls are tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// It follows tasks by the messages of the extension.
    Tasks,
    /// It does not, and has tools for that.
    TaskTools,
}

impl View {
    /// What a client of these capabilities is shown.
    pub fn of(client: &ClientCapabilities) -> Self {
        if client.has_extension(EXTENSION) { Self::Tasks } else { Self::TaskTools }
    }
}

/// Everything that is listed, and the lists that were written.
#[derive(Debug)]
pub struct Lists {
    cache: CachePolicy,
    pub(super) tools: Listed,
    /// What stands in the place of some of them.
    pub(super) task_tools: Arc<TaskTools>,
    /// What makes the list of tools short, where it does.
    finder: Option<Arc<Finder>>,
    /// Prompts, resources, templates.
    offers: [Vec<Arc<Offer>>; 3],
    /// Whether what is listed depends on who asks.
    restricted: [bool; 4],
    written: [[OnceLock<JsonText>; REVISIONS]; 4],
    /// All tools, where the list is short.
    unabridged: [OnceLock<JsonText>; REVISIONS],
}

/// How much of the list of tools is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// What clients see.
    Listed,
    /// Everything that search finds too.
    Everything,
}

impl Lists {
    /// In this order. `offers` are prompts, resources and templates.
    pub fn new(
        cache: CachePolicy,
        (tools, task_tools): (Listed, TaskTools),
        finder: Option<Arc<Finder>>,
        offers: [Vec<Arc<Offer>>; 3],
    ) -> Self {
        let scoped = |offers: &Vec<Arc<Offer>>| offers.iter().any(|offer| !offer.scopes.is_empty());
        let [prompts, resources, templates] = &offers;
        let restricted = [
            tools.iter().any(|(_, entry)| !entry.scopes.is_empty()),
            scoped(prompts),
            scoped(resources),
            scoped(templates),
        ];
        let (task_tools, (written, unabridged)) = (Arc::new(task_tools), Default::default());
        Self { cache, tools, task_tools, finder, offers, restricted, written, unabridged }
    }

    /// The tools for a client that follows tasks, when they differ from those for others.
    fn differs(&self, kind: ListKind, view: View) -> bool {
        kind == ListKind::Tools && view == View::Tasks && !self.task_tools.is_empty()
    }

    /// The whole list, for everybody who may use all that is in it and follows tasks by tools.
    pub fn whole(&self, kind: ListKind, revision: Revision, server: &Implementation) -> &JsonText {
        let write = || self.write((kind, View::TaskTools, Extent::Listed), revision, server, None);
        self.written[place(kind)][column(revision)].get_or_init(write)
    }

    /// The list as it would be if nothing of it were left to search.
    pub fn everything(&self, kind: ListKind, revision: Revision, server: &Implementation) -> &JsonText {
        if kind != ListKind::Tools || self.finder.is_none() {
            return self.whole(kind, revision, server);
        }
        let write = || self.write((kind, View::TaskTools, Extent::Everything), revision, server, None);
        self.unabridged[column(revision)].get_or_init(write)
    }

    /// The tools that a caller may use, in their order.
    pub fn usable(&self, caller: &Principal) -> impl Iterator<Item = &(Tool, Arc<Entry>)> {
        self.tools.iter().filter(|(tool, entry)| caller.may_use(&entry.scopes, &tool.name))
    }

    /// The list for one caller: what he may not use is not in it.
    pub fn for_caller(
        &self,
        (kind, view): (ListKind, View),
        revision: Revision,
        server: &Implementation,
        caller: &Principal,
    ) -> Cow<'_, JsonText> {
        let limited =
            self.restricted[place(kind)] || (kind == ListKind::Tools && caller.is_limited_to_tools());
        if limited || self.differs(kind, view) {
            Cow::Owned(self.write((kind, view, Extent::Listed), revision, server, Some(caller)))
        } else {
            Cow::Borrowed(self.whole(kind, revision, server))
        }
    }

    fn write(
        &self,
        (kind, view, extent): (ListKind, View, Extent),
        revision: Revision,
        server: &Implementation,
        caller: Option<&Principal>,
    ) -> JsonText {
        let items: Vec<JsonText> = match kind {
            ListKind::Tools => self.write_tools((view, extent), revision, caller),
            kind => {
                let offers = self.offers[place(kind) - 1].iter();
                let visible =
                    offers.filter(|offer| caller.is_none_or(|caller| caller.has_scopes(&offer.scopes)));
                visible.map(|offer| Definition::write(&offer.definition, revision)).collect()
            }
        };
        // What a client is shown depends on what it declares, too.
        let shared = caller.is_none() && (kind != ListKind::Tools || self.task_tools.is_empty());
        let scope = if shared { self.cache.scope } else { CacheScope::Private };
        let cache = CachePolicy { scope, ..self.cache };
        list(&ListPage { kind, items: &items, next_cursor: None, cache, server }, revision)
    }

    fn write_tools(
        &self,
        (view, extent): (View, Extent),
        revision: Revision,
        caller: Option<&Principal>,
    ) -> Vec<JsonText> {
        let visible = self
            .tools
            .iter()
            .filter(|(tool, entry)| caller.is_none_or(|caller| caller.may_use(&entry.scopes, &tool.name)));
        let usable: Vec<_> = visible.collect();
        // Also where search has to find what starts them.
        let startable = usable.iter().any(|(tool, _)| self.task_tools.in_place_of(&tool.name).is_some());
        let follow = view == View::TaskTools && startable;
        let listed = self.abridged(usable, extent);
        let shown = listed.into_iter().map(|(tool, _)| self.task_tools.shown(tool, view).write(revision));
        let mut items: Vec<JsonText> = shown.collect();
        if follow {
            items.extend(followers().map(|tool| tool.write(revision)));
        }
        items
    }

    /// What of the tools that somebody may use is listed: all, or, where they are too many, what finds them and those
    /// that are to be seen at once.
    fn abridged<'a>(
        &'a self,
        usable: Vec<&'a (Tool, Arc<Entry>)>,
        extent: Extent,
    ) -> Vec<&'a (Tool, Arc<Entry>)> {
        let finder =
            self.finder.as_ref().filter(|finder| extent == Extent::Listed && finder.shortens(usable.len()));
        let Some(finder) = finder else { return usable };
        let seen = usable.into_iter().filter(|(tool, entry)| finder.always(&tool.name, entry.rank));
        finder.helpers().iter().chain(seen).collect()
    }
}

/// The revision whose list stands for its era's.
pub fn latest(era: Era) -> Revision {
    match era {
        Era::Legacy => Revision::LATEST_LEGACY,
        Era::Modern => Revision::LATEST_MODERN,
    }
}

fn column(revision: Revision) -> usize {
    Revision::KNOWN.iter().position(|known| *known == revision).unwrap_or_default()
}

const fn place(kind: ListKind) -> usize {
    match kind {
        ListKind::Tools => 0,
        ListKind::Prompts => 1,
        ListKind::Resources => 2,
        ListKind::ResourceTemplates => 3,
    }
}
