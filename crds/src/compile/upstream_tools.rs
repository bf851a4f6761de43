//! Which tools of an upstream are served, and as what.
//!
//! What is wrong is found by the same function that a runtime refuses a configuration by; here it becomes findings, and what
//! is only odd becomes warnings.

use super::{
    asynchronous,
    report::{Reason, Scope},
};
use crate::v1alpha1::{self as api, Pinning, UpstreamTools};
use mcpfleet_config::{self as config, upstream_tools::ToolsFault};
use std::collections::{BTreeMap, btree_map::Entry};

pub(super) fn compile(scope: &mut Scope<'_>, at: &str, tools: &UpstreamTools) -> config::UpstreamTools {
    let access = match tools.access {
        api::UpstreamAccess::Any => config::UpstreamAccess::Any,
        api::UpstreamAccess::ReadOnly => config::UpstreamAccess::ReadOnly,
    };
    let overrides: Vec<_> =
        tools.overrides.iter().map(|it| (it.name.clone(), overridden(scope, at, it))).collect();
    let overrides = by_name(scope, &format!("{at}.overrides"), overrides.into_iter());
    let pins = tools.pins.iter().map(|pin| (pin.name.clone(), pin.hash.clone()));
    let pins = by_name(scope, &format!("{at}.pins"), pins);
    let mut compiled = config::UpstreamTools {
        include: tools.include.clone(),
        exclude: tools.exclude.clone(),
        access,
        overrides,
        pins: Some(pins),
        approved: BTreeMap::new(),
    };
    for flaw in compiled.flaws() {
        let (reason, remedy) = verdict(&flaw.fault);
        scope.error(&format!("{at}.{}", flaw.field), reason, flaw.fault.to_string(), remedy);
    }
    warn_of_the_odd(scope, at, tools, &compiled);
    if tools.pinning == Pinning::Follow {
        compiled.pins = None;
    }
    compiled
}

fn by_name<T>(
    scope: &mut Scope<'_>,
    at: &str,
    items: impl Iterator<Item = (String, T)>,
) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    for (name, item) in items {
        match all.entry(name) {
            Entry::Vacant(free) => {
                free.insert(item);
            }
            Entry::Occupied(taken) => {
                let (field, remedy) =
                    (format!("{at}[{}]", taken.key()), "say everything of a tool in one item");
                scope.error(&field, Reason::DuplicateName, "stands twice", remedy);
            }
        }
    }
    all
}

fn verdict(fault: &ToolsFault) -> (Reason, &'static str) {
    match fault {
        ToolsFault::TooMany { .. } => {
            (Reason::OutOfRange, "write patterns that take several tools, or leave some out")
        }
        ToolsFault::Pattern(_) => {
            (Reason::InvalidPattern, "write a tool's name, with '*' for any characters and '?' for one")
        }
        ToolsFault::Name { .. } => (Reason::InvalidName, "use at most 128 letters, digits, '_', '-' or '.'"),
        ToolsFault::NameTaken { .. } => (Reason::DuplicateName, "give each tool a name of its own"),
        ToolsFault::Text { .. } => (Reason::OutOfRange, "shorten it, or leave the field out"),
        ToolsFault::Pin(_) => (Reason::InvalidPin, "paste what mcp-runtime pin prints"),
        ToolsFault::Approved => (Reason::InvalidPin, "write the lock file anew with mcp-runtime pin --write"),
    }
}

fn warn_of_the_odd(scope: &mut Scope<'_>, at: &str, tools: &UpstreamTools, compiled: &config::UpstreamTools) {
    let named = [("overrides", compiled.overrides.keys().collect::<Vec<_>>())];
    let pinned = compiled.pins.iter().map(|pins| ("pins", pins.keys().collect()));
    for (field, names) in named.into_iter().chain(pinned) {
        for name in names.into_iter().filter(|name| !compiled.takes(name)) {
            let field = format!("{at}.{field}[{name}]");
            let message = format!("{name:?} is a tool that include and exclude leave out");
            scope.warning(&field, Reason::NotServed, message, "remove it, or let the tool through");
        }
    }
    match tools.pinning {
        Pinning::Follow if !tools.pins.is_empty() => scope.warning(
            &format!("{at}.pins"),
            Reason::PinsUnused,
            "are not used, because pinning is Follow",
            "set pinning: Strict",
        ),
        Pinning::Strict if tools.pins.is_empty() => scope.warning(
            &format!("{at}.pins"),
            Reason::PinsMissing,
            "nothing is pinned yet, so every definition is served as it comes",
            "add what mcp-runtime pin prints",
        ),
        Pinning::Follow | Pinning::Strict => {}
    }
}

fn overridden(scope: &mut Scope<'_>, at: &str, wanted: &api::ToolOverride) -> config::ToolOverride {
    let field = format!("{at}.overrides[{}].async", wanted.name);
    config::ToolOverride {
        rename: wanted.rename.clone(),
        title: wanted.title.clone(),
        description: wanted.description.clone(),
        annotations: wanted.annotations.map(|hints| config::ToolAnnotations {
            read_only_hint: hints.read_only_hint,
            destructive_hint: hints.destructive_hint,
            idempotent_hint: hints.idempotent_hint,
            open_world_hint: hints.open_world_hint,
        }),
        asynchronous: asynchronous::compile(scope, &field, wanted.asynchronous.as_ref()),
    }
}
