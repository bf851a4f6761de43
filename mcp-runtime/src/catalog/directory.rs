//! Prompts, resources and templates: our own and those of upstreams. Pure.
//!
//! A name or URI is served once: our own before any upstream's, and among upstreams the first by the upstream's name.

use super::{
    merge::{Target, Withheld},
    offers::Offers,
    own_resource::ResourceKind,
};
use crate::upstream::{Roster, UpstreamOffer};
use mcpfleet_config::RuntimeConfig;
use mcpfleet_protocol::{answer::Definition, client::ListKind, json::JsonText};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// A prompt, a resource or a template.
#[derive(Debug)]
pub struct Offer {
    /// What clients see.
    pub definition: Definition,
    /// Who gives it.
    pub target: Target,
    /// Its name or URI there.
    pub key: String,
    /// Scopes that a caller needs.
    pub scopes: Vec<String>,
}

/// Where a request for an offer goes.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who gives it.
    pub target: Target,
    /// Its name or URI there.
    pub key: String,
    /// Scopes that a caller needs.
    pub scopes: Vec<String>,
}

/// Everything of a server that is no tool, by name or URI.
#[derive(Debug, Default)]
pub struct Directory {
    pub(super) prompts: BTreeMap<String, Arc<Offer>>,
    pub(super) resources: BTreeMap<String, Arc<Offer>>,
    pub(super) templates: BTreeMap<String, Arc<Offer>>,
    /// The only upstream that has resources, when it is only one: URIs that are nowhere listed are its.
    sole: Option<Found>,
}

impl Directory {
    /// Merges our own with what upstreams offer.
    pub fn merge(own: &Offers, roster: &Roster, config: &RuntimeConfig) -> (Self, Vec<Withheld>) {
        let mut offers = Self::default();
        let mut withheld = Vec::new();
        for prompt in &own.prompts {
            insert(&mut offers.prompts, ListKind::Prompts, prompt.definition(), &prompt.config.scopes);
        }
        for resource in &own.resources {
            let (list, kind) = match resource.kind() {
                ResourceKind::Resource => (&mut offers.resources, ListKind::Resources),
                ResourceKind::Template => (&mut offers.templates, ListKind::ResourceTemplates),
            };
            insert(list, kind, resource.definition(), &resource.config.scopes);
        }
        let lists = [
            (&mut offers.prompts, ListKind::Prompts, &roster.prompts),
            (&mut offers.resources, ListKind::Resources, &roster.resources),
            (&mut offers.templates, ListKind::ResourceTemplates, &roster.templates),
        ];
        for (list, kind, offered) in lists {
            for offer in offered {
                withheld.extend(place(list, kind, offer, config));
            }
        }
        offers.sole = sole(roster, config);
        (offers, withheld)
    }

    /// The prompt of this name.
    pub fn prompt(&self, name: &str) -> Option<Found> {
        self.prompts.get(name).map(|offer| offer.found())
    }

    /// Who gives this resource: whoever lists it, then whoever has a template that it may come from, then the only
    /// upstream that has resources at all.
    pub fn resource(&self, uri: &str, own: &Offers) -> Option<Found> {
        let listed = self.resources.get(uri).map(|offer| offer.found());
        listed.or_else(|| self.by_template(uri, own)).or_else(|| self.sole.clone())
    }

    /// The template of this text, or the resource that a completion names by its URI.
    pub fn template(&self, text: &str, own: &Offers) -> Option<Found> {
        let exact = self.templates.get(text).or_else(|| self.resources.get(text)).map(|offer| offer.found());
        exact.or_else(|| self.by_template(text, own))
    }

    /// One of our own that answers for it; else the upstream's template whose fixed beginning is the longest, for the more
    /// specific one wins.
    fn by_template(&self, uri: &str, own: &Offers) -> Option<Found> {
        if let Some(resource) = own.resource(uri) {
            let scopes = resource.config.scopes.clone();
            return Some(Found { target: Target::OwnOffer, key: uri.to_owned(), scopes });
        }
        let fits = self.templates.values().filter(|offer| offer.fits(uri));
        fits.max_by_key(|offer| frame(&offer.definition.key).0.len()).map(|offer| offer.found())
    }
}

impl Offer {
    fn found(&self) -> Found {
        Found { target: self.target.clone(), key: self.key.clone(), scopes: self.scopes.clone() }
    }

    /// Whether a URI may come from this upstream's template: of what its expressions may hold only the upstream knows, so
    /// the fixed beginning and end decide.
    fn fits(&self, uri: &str) -> bool {
        let (head, tail) = frame(&self.definition.key);
        let upstream = matches!(self.target, Target::Upstream { .. });
        upstream && uri.len() >= head.len() + tail.len() && uri.starts_with(head) && uri.ends_with(tail)
    }
}

/// What of a template is fixed before its first and after its last expression.
fn frame(template: &str) -> (&str, &str) {
    let head = template.split('{').next().unwrap_or_default();
    let tail =
        if head.len() == template.len() { "" } else { template.rsplit('}').next().unwrap_or_default() };
    (head, tail)
}

fn insert(list: &mut BTreeMap<String, Arc<Offer>>, kind: ListKind, definition: &JsonText, scopes: &[String]) {
    // What we have written ourselves can be read.
    let raw = RawValue::from_string(definition.as_str().to_owned()).ok();
    let read = raw.and_then(|raw| Definition::read(kind, &raw).ok());
    if let Some(definition) = read {
        let key = definition.key.clone();
        let offer = Offer { key: key.clone(), definition, target: Target::OwnOffer, scopes: scopes.to_vec() };
        list.insert(key, Arc::new(offer));
    }
}

fn place(
    list: &mut BTreeMap<String, Arc<Offer>>,
    kind: ListKind,
    offered: &UpstreamOffer,
    config: &RuntimeConfig,
) -> Option<Withheld> {
    let definition = match Definition::read(kind, &offered.definition) {
        Ok(definition) => definition,
        Err(error) => return Some(withheld(offered, error.to_string())),
    };
    match list.entry(definition.key.clone()) {
        Entry::Vacant(free) => {
            let target = upstream(&offered.upstream, &offered.key);
            free.insert(Arc::new(Offer {
                definition,
                target,
                key: offered.key.clone(),
                scopes: scopes(config, &offered.upstream),
            }));
            None
        }
        Entry::Occupied(taken) => {
            let who = match &taken.get().target {
                Target::Upstream { upstream, .. } => format!("upstream {upstream}"),
                _ => "this server itself".to_owned(),
            };
            Some(withheld(offered, format!("{who} has it too")))
        }
    }
}

fn withheld(offered: &UpstreamOffer, reason: String) -> Withheld {
    Withheld { upstream: offered.upstream.clone(), tool: offered.exposed_key.clone(), reason }
}

fn upstream(name: &str, key: &str) -> Target {
    Target::Upstream { upstream: name.to_owned(), key: key.to_owned() }
}

/// Scopes that everything of an upstream needs.
pub(super) fn scopes(config: &RuntimeConfig, upstream: &str) -> Vec<String> {
    let declared = config.upstreams.iter().find(|known| known.name == upstream);
    declared.map(|known| known.scopes.clone()).unwrap_or_default()
}

fn sole(roster: &Roster, config: &RuntimeConfig) -> Option<Found> {
    let mut with_resources = roster.about.iter().filter(|(_, about)| about.capabilities.resources.is_some());
    match (with_resources.next(), with_resources.next()) {
        (Some((only, _)), None) => {
            Some(Found { target: upstream(only, ""), key: String::new(), scopes: scopes(config, only) })
        }
        _ => None,
    }
}
